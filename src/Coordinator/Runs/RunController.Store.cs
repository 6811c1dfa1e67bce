using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A store that cannot be written, as the users of a run see it.</summary>
public sealed partial class RunController
{
    private string _storeProblem = "";

    // The run goes on as it is: agents keep what is not stored, and send it again when there is room.
    private void ReviewStore()
    {
        var problem = _record.Problem is { } words
            ? $"the record of the run cannot be kept: {words}. The run goes on, and its agents keep what is not stored"
            : "";
        if (problem == _storeProblem)
            return;
        var shown = _snapshot.Value.Reason == _storeProblem ? problem : _snapshot.Value.Reason;
        if (_storeProblem.Length == 0)
            _measurements.Event(RunEventKinds.StoreBlocked, "", problem);
        else if (problem.Length == 0)
            _measurements.Event(RunEventKinds.StoreRecovered, "", "the store can be written again, and what agents kept is stored");
        _storeProblem = problem;
        Publish(s => s with { Reason = shown });
    }
}
