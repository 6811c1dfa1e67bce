using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that say what connections do once they are open, and what becomes of their tuples.</summary>
internal static class SpecWorkload
{
    /// <summary>Connections are kept open.</summary>
    public const string Hold = "hold";

    /// <summary>Connections close after their lifetime and are replaced.</summary>
    public const string Churn = "churn";

    /// <summary>Connections carry HTTP/1.1 requests.</summary>
    public const string Http = "http";

    /// <summary>Connections carry messages that come back.</summary>
    public const string Echo = "echo";

    /// <summary>Our close is shutdown, the peer's FIN, close: TIME-WAIT on this side.</summary>
    public const string Fin = "fin";

    /// <summary>Our close is a reset: nothing is left of the connection.</summary>
    public const string Rst = "rst";

    /// <summary>The close is left to the peer.</summary>
    public const string Peer = "peer";

    /// <summary>A tuple rests for 60 s after our FIN, as ordinary clients live with.</summary>
    public const string Rest = "rest";

    /// <summary>A tuple is used again at once.</summary>
    public const string Immediate = "immediate";

    /// <summary>Largest weight of a kind.</summary>
    public const int LargestWeight = 1_000_000;

    private const string Field = "--workload";
    private const string Lifetime = "--lifetime";
    private const string Close = "--close";
    private const int MostKinds = 16;
    private const string Allowed = "hold, churn, http or echo, or several with weights, as in hold=80,http=15,churn=5";

    private static readonly string[] _kinds = [Hold, Churn, Http, Echo];

    /// <summary>The spec with its workload and its reuse.</summary>
    public static RunSpec Read(RunSpec spec, RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        var isHttp = spec.Targets.Any(t => t.Scheme.IsHttp());
        var kinds = KindsOf(input, isHttp, errors);
        if (fields.Word("--reuse", input.Reuse, Rest, Immediate) == Immediate)
            spec = spec with { Rest = TimeSpan.Zero };
        // What goes with a workload that is not known cannot be judged.
        if (kinds.IsEmpty)
            return spec;
        CheckOwners(input, kinds, errors);
        if (kinds.Any(k => k.Name == Http) && !isHttp && !spec.Targets.IsEmpty)
        {
            errors.Add(new SpecError(Field, input.Workload ?? "", "sends HTTP requests, and no target is http:// or https://", "",
                $"Write --target http://{spec.Targets[0].Host}:{PortText.Format(spec.Targets[0].Ports)}/"));
        }

        if (kinds.Any(k => k.Name == Echo) && isHttp)
        {
            errors.Add(new SpecError(Field, input.Workload ?? "", "has an echo, which is no HTTP, and the target is http:// or https://", "",
                $"Write --target {(spec.Targets[0].Scheme.IsTls() ? "tls" : "tcp")}://{spec.Targets[0].Host}:{PortText.Format(spec.Targets[0].Ports)}, or --workload http"));
        }

        var requests = SpecRequests.Read(spec, input, kinds, fields, errors);
        return spec with { Workload = [.. kinds.Select(k => new WorkloadShare(k.Weight, Of(k.Name, input, requests, fields, errors)))] };
    }

    private static WorkloadSpec Of(string kind, RunSpecInput input, SpecRequests requests, FieldReader fields, List<SpecError> errors) => kind switch
    {
        Churn => ReadChurn(input, fields, errors),
        Http => requests.Http(),
        Echo => requests.Echo(),
        _ => requests.Held(),
    };

    // For an http target requests are what is meant.
    private static ImmutableArray<(string Name, int Weight)> KindsOf(RunSpecInput input, bool isHttp, List<SpecError> errors)
    {
        if (input.Workload is not { } text)
            return [(isHttp ? Http : Hold, 1)];
        var kinds = ImmutableArray.CreateBuilder<(string, int)>();
        foreach (var part in text.ToLowerInvariant().Split(','))
        {
            var (name, weight) = part.Split('=') is [var before, var after] ? (before.Trim(), after.Trim()) : (part.Trim(), "1");
            if (!_kinds.Contains(name) || !int.TryParse(weight, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number is < 1 or > LargestWeight || kinds.Any(k => k.Item1 == name))
            {
                errors.Add(new SpecError(Field, text, WhyWrong(name, weight, kinds.Any(k => k.Item1 == name)), Allowed, $"Write {Field} hold, or {Field} hold=80,http=20"));
                return [];
            }

            kinds.Add((name, number));
        }

        if (kinds.Count <= MostKinds)
            return kinds.ToImmutable();
        errors.Add(new SpecError(Field, text, "has too many kinds", $"at most {MostKinds}", "Leave some out"));
        return [];
    }

    private static string WhyWrong(string name, string weight, bool twice)
    {
        if (!_kinds.Contains(name))
            return name.Length == 0 ? "has an empty kind" : $"has a kind '{name}' that is unknown";
        return twice ? $"names {name} twice" : $"has a weight '{weight}' that is no whole number, 1 to {LargestWeight:N0}";
    }

    private static WorkloadSpec.Churn ReadChurn(RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        var close = fields.Word(Close, input.Close, Fin, Rst, Peer) switch
        {
            Rst => CloseMethod.Rst,
            Peer => CloseMethod.Peer,
            _ => CloseMethod.Fin,
        };
        if (input.Lifetime is not { } given)
        {
            if (close != CloseMethod.Peer)
                fields.Missing(Lifetime, "Say how long each connection lives: --lifetime 10s");
            return new(null, close);
        }

        Parsed<LifetimeSpec> parsed = given.Value is { } value ? value : LifetimeText.Parse(given.Text ?? "");
        if ((parsed.Problem ?? LifetimeText.ProblemOf(parsed.Value)) is not { } problem)
            return new(parsed.Value, close);
        errors.Add(problem.At(Lifetime, Shown(given)));
        return new(null, close);
    }

    private static string Shown(LifetimeInput given) => given.Text ?? LifetimeText.Format(given.Value!);

    private static void CheckOwners(RunSpecInput input, ImmutableArray<(string Name, int Weight)> kinds, List<SpecError> errors)
    {
        if (kinds.Any(k => k.Name == Churn))
            return;
        if (input.Lifetime is { } given)
            errors.Add(OnlyWithChurn(Lifetime, Shown(given)));
        if (input.Close is { } method)
            errors.Add(OnlyWithChurn(Close, method));
    }

    private static SpecError OnlyWithChurn(string field, string value) => new(
        field, value, "says how connections end that churn, and here they stay until the drain", "",
        $"Write --workload churn to have them end and be replaced, or leave {field} out");
}
