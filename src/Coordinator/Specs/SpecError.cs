using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Specs;

/// <summary>One thing that is wrong with what a user asked for.</summary>
/// <param name="Field">As the user knows it: <c>--connections</c>.</param>
/// <param name="Value">As typed; empty when the field was left out.</param>
/// <param name="Problem">What is wrong with it, following the value: <c>is below 1</c>.</param>
/// <param name="Allowed">What may stand there: <c>1 to 100,000,000</c>; may be empty.</param>
/// <param name="Remedy">What to do: a whole clause without a full stop.</param>
public sealed record SpecError(string Field, string Value, string Problem, string Allowed, string Remedy)
{
    private const int LongestValue = 120;
    private const int LongestPart = 400;

    /// <summary>One line for people.</summary>
    public string Message
    {
        get
        {
            var what = Value.Length == 0 ? Field : $"{Field} {Shown(Value, LongestValue)}";
            var allowed = Allowed.Length == 0 ? "" : $"; allowed: {Allowed}";
            return $"{what}: {Shown(Problem, LongestPart)}{allowed}. {Shown(Remedy, LongestPart)}.";
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Message;

    /// <summary>
    /// Values come from anywhere, and the other parts quote them: control characters do not reach a terminal, and length is
    /// bounded.
    /// </summary>
    private static string Shown(string text, int longest)
    {
        var bounded = text.Length <= longest ? text : text[..longest] + "...";
        return string.Concat(bounded.Select(c => char.IsControl(c) ? '?' : c));
    }
}

/// <summary>A spec, or every error in it.</summary>
/// <param name="Spec">Null when there are errors.</param>
/// <param name="Errors">Empty when there is a spec.</param>
public sealed record SpecResult(RunSpec? Spec, ImmutableArray<SpecError> Errors);
