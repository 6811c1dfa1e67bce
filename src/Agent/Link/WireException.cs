namespace LoadHarness.Agent.Link;

/// <summary>An assignment breaks the contract. It is answered with REFUSED and never followed.</summary>
/// <param name="field">Path of the field, as in `slice.blocks[0].sources`.</param>
/// <param name="rule">The rule that it breaks, in a word.</param>
/// <param name="message">What is wrong, with the value, and what is allowed.</param>
public sealed class WireException(string field, string rule, string message) : Exception(message)
{
    /// <summary>Path of the field.</summary>
    public string Field { get; } = field;

    /// <summary>The rule.</summary>
    public string Rule { get; } = rule;
}
