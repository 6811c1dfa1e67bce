using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Connections that live for a time, then close and are replaced.</summary>
/// <param name="Lifetime">From open to the end: what one connection lives that stands for all of them, those that are held included; above 0.</param>
/// <param name="Close">By FIN, which leaves TIME-WAIT here, or by RST, which leaves nothing. Where some do this and some that: FIN.</param>
public sealed record ChurnSpec(TimeSpan Lifetime, CloseMethod Close)
{
    private static readonly TimeSpan _shortest = TimeSpan.FromTicks(1);

    /// <summary>
    /// The churn of all kinds together while the goal is kept; null when none of them ends connections at a rate that is known. Kinds with a
    /// lifetime, and heartbeats that are counted, end a part of the connections that are there; an open model ends as many as it has requests for.
    /// </summary>
    public static ChurnSpec? Of(RunSpec spec)
    {
        if (spec.Workload is [{ Workload: WorkloadSpec.Churn { Life: { } life } only }])
            return new(life.Mean, MethodOf(only));
        var all = spec.Workload.Sum(w => (double)w.Weight);
        var endsPerSecond = spec.Workload.Sum(w => EndsPerSecond(w.Workload, spec.Connections * w.Weight / all));
        if (!(endsPerSecond > 0) || spec.Connections < 1)
            return null;
        var close = spec.Workload.Where(w => EndsPerSecond(w.Workload, 1) > 0).All(w => MethodOf(w.Workload) == CloseMethod.Rst) ? CloseMethod.Rst : CloseMethod.Fin;
        var seconds = Math.Min(spec.Connections / endsPerSecond, DurationText.Longest.TotalSeconds);
        return new(seconds > _shortest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : _shortest, close);
    }

    // Of a heartbeat's period a connection waits for its first request on average half.
    private static double EndsPerSecond(WorkloadSpec workload, double connections) => workload switch
    {
        WorkloadSpec.Churn { Life: { } life } => connections / life.Mean.TotalSeconds,
        { Requests: { PerConnection: > 0 and var most, Load: LoadSpec.Open open } } => open.RequestsPerSecond / most,
        { Requests: { PerConnection: > 0 and var most, Load: LoadSpec.Heartbeat beat } } => connections / ((most - 0.5) * beat.Every.TotalSeconds),
        _ => 0,
    };

    private static CloseMethod MethodOf(WorkloadSpec workload) => workload is WorkloadSpec.Churn { Close: CloseMethod.Rst } ? CloseMethod.Rst : CloseMethod.Fin;
}
