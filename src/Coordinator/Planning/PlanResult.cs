using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A plan, or everything that stands against it.</summary>
/// <param name="Plan">Null when there are problems.</param>
/// <param name="Problems">Empty when there is a plan.</param>
public sealed record PlanResult(RunPlan? Plan, ImmutableArray<PlanProblem> Problems)
{
    /// <summary>A plan.</summary>
    public static implicit operator PlanResult(RunPlan plan) => new(plan, []);

    /// <summary>One problem.</summary>
    public static implicit operator PlanResult(PlanProblem problem) => new(null, [problem]);
}

/// <summary>Why there is no plan.</summary>
/// <param name="Kind">Decides the exit code.</param>
/// <param name="Message">Whole sentences: which limit, how many, and what to change, cheapest first.</param>
public sealed record PlanProblem(PlanProblemKind Kind, string Message)
{
    /// <summary>The goal is more than something holds.</summary>
    public static PlanProblem DoesNotFit(string message) => new(PlanProblemKind.DoesNotFit, message);

    /// <summary>The request cannot be planned, whatever there is.</summary>
    public static PlanProblem Invalid(string message) => new(PlanProblemKind.Invalid, message);
}

/// <summary>Kinds of <see cref="PlanProblem"/>.</summary>
public enum PlanProblemKind
{
    /// <summary>The goal is more than the endpoint space, the descriptors or the agents hold (exit code 7).</summary>
    DoesNotFit,

    /// <summary>What was asked for is wrong in itself (exit code 2).</summary>
    Invalid,
}
