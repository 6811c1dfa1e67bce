using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>A message that breaks the contract.</summary>
/// <param name="fieldPath">Path of the field.</param>
/// <param name="problem">What is wrong and what is allowed.</param>
/// <param name="code">How an agent is refused for it.</param>
public sealed class WireException(string fieldPath, string problem, Refusal.Types.Code code = Refusal.Types.Code.InvalidHello)
    : Exception($"{fieldPath}: {problem}")
{
    /// <summary>Path of the field.</summary>
    public string Field => fieldPath;

    /// <summary>How an agent is refused for it.</summary>
    public Refusal.Types.Code Code => code;
}
