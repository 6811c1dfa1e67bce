using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The arithmetic of a run.</summary>
/// <param name="Json">Of schema <c>loadharness/plan/v1</c>.</param>
/// <param name="Lines">For people.</param>
/// <param name="Fits">Whether a run would be started.</param>
internal sealed record PlanAnswer(string Json, ImmutableArray<string> Lines, bool Fits);
