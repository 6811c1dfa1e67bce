using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that say what a connection does once it is open, and what becomes of its tuple.</summary>
internal static class SpecWorkload
{
    /// <summary>Connections are kept open.</summary>
    public const string Hold = "hold";

    /// <summary>Connections close after their lifetime and are replaced.</summary>
    public const string Churn = "churn";

    /// <summary>Our close is shutdown, the peer's FIN, close: TIME-WAIT on this side.</summary>
    public const string Fin = "fin";

    /// <summary>Our close is a reset: nothing is left of the connection.</summary>
    public const string Rst = "rst";

    /// <summary>A tuple rests for 60 s after our FIN, as ordinary clients live with.</summary>
    public const string Rest = "rest";

    /// <summary>A tuple is used again at once.</summary>
    public const string Immediate = "immediate";

    private const string Workload = "--workload";
    private const string Lifetime = "--lifetime";
    private const string Close = "--close";

    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>The spec with its workload and its reuse.</summary>
    public static RunSpec Read(RunSpec spec, RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        var workload = fields.Word(Workload, input.Workload, Hold, Churn);
        var lifetime = fields.Duration(Lifetime, input.Lifetime, _shortest, DurationText.Longest);
        var close = fields.Word(Close, input.Close, Fin, Rst);
        var reuse = fields.Word("--reuse", input.Reuse, Rest, Immediate);
        if (reuse == Immediate)
            spec = spec with { Rest = TimeSpan.Zero };
        if (workload == Churn)
        {
            if (input.Lifetime is null)
                fields.Missing(Lifetime, "Say how long each connection lives: --lifetime 10s");
            return spec with { Churn = new ChurnSpec(lifetime ?? TimeSpan.Zero, close == Rst ? CloseMethod.Rst : CloseMethod.Fin) };
        }

        // An unknown workload was said already; what goes with it is not known.
        if (workload == Hold || input.Workload is null)
        {
            if (input.Lifetime is { } given)
                errors.Add(OnlyWithChurn(Lifetime, given.Text ?? DurationText.Format(given.Value)));
            if (input.Close is { } method)
                errors.Add(OnlyWithChurn(Close, method));
        }

        return spec;
    }

    private static SpecError OnlyWithChurn(string field, string value) => new(
        field, value, "says how connections end, and connections are held here until the drain", "",
        $"Write --workload churn to have them end and be replaced, or leave {field} out");
}
