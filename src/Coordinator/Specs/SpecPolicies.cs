using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that say what becomes of a run when its agents change.</summary>
internal static class SpecPolicies
{
    /// <summary>The others take the share of a lost agent over.</summary>
    public const string Rebalance = "rebalance";

    /// <summary>The share of a lost agent stays open until it is back.</summary>
    public const string Hold = "hold";

    /// <summary>The run drains and has failed.</summary>
    public const string Fail = "fail";

    /// <summary>An agent that joins takes what is missing of the goal.</summary>
    public const string Fill = "fill";

    /// <summary>An agent that joins stays idle.</summary>
    public const string Ignore = "ignore";

    /// <summary>The spec with both policies.</summary>
    public static RunSpec Read(RunSpec spec, RunSpecInput input, FieldReader fields) => spec with
    {
        OnAgentLoss = fields.Word("--on-agent-loss", input.OnAgentLoss, Rebalance, Hold, Fail) switch
        {
            Hold => AgentLossPolicy.Hold,
            Fail => AgentLossPolicy.Fail,
            _ => AgentLossPolicy.Rebalance,
        },
        OnAgentJoin = fields.Word("--on-agent-join", input.OnAgentJoin, Fill, Ignore) == Ignore ? AgentJoinPolicy.Ignore : AgentJoinPolicy.Fill,
    };
}
