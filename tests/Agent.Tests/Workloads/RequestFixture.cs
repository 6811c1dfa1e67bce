using LoadHarness.Agent.Tests.Engine;
using LoadHarness.Agent.Workloads;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;

namespace LoadHarness.Agent.Tests.Workloads;

/// <summary>Requests to a target that a test scripts.</summary>
internal static class RequestFixture
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>The next request as soon as the answer has come.</summary>
    public static RequestLoad AtOnce { get; } = new RequestLoad.Closed(TimeSpan.Zero);

    /// <summary>A target on an address of its own.</summary>
    public static ScriptedTarget Answering(Func<ScriptedRequest, ScriptedAnswer> script) => new(LoopbackAddress.Next(), script);

    /// <summary>GET /x, answered by 200 to 399.</summary>
    public static WorkloadPlan.Http Get(RequestLoad load, long perConnection = 0, TimeSpan? timeout = null) =>
        new([new RequestText("GET", "/x", [], default).For("example")], false, [new PortSpan(200, 399)], new(load, timeout ?? _patience, perConnection));

    /// <summary>Where a target listens.</summary>
    public static (IpAddress, int) Target(ScriptedTarget target) => (IpAddress.From(target.EndPoint.Address), target.EndPoint.Port);

    /// <summary>A reactor that sends requests.</summary>
    public static ReactorFixture Start(ScriptedTarget target, int connections, WorkloadPlan plan, double requestsPerSecond = 0) =>
        ReactorFixture.Connecting(Target(target), connections, [new(1, plan)], requestsPerSecond);
}
