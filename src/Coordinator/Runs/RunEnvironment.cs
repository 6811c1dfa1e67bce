using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>What every run of a coordinator shares.</summary>
/// <param name="Registry">Its agents.</param>
/// <param name="Store">What is kept of them.</param>
/// <param name="Ledger">The blocks that live runs hold.</param>
/// <param name="Log">For events.</param>
internal sealed record RunEnvironment(AgentRegistry Registry, CoordinatorStore Store, BlockLedger Ledger, ILogger Log);
