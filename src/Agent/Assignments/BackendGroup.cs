using System.Collections.Immutable;
using System.Net.Sockets;
using LoadHarness.Agent.Backend;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// The accepting side of a run: listens on the assigned ports from PREPARED to DRAINED. As many reactors as this host has cores
/// to begin with; full ones are relieved by more, so the assignment names no number.
/// </summary>
/// <param name="addresses">Where to listen: what the agent's user said.</param>
internal sealed class BackendGroup(ImmutableArray<IpAddress> addresses) : IRunReactors
{
    private BackendWork? _work;
    private BackendReactors? _reactors;

    /// <inheritdoc/>
    public Exception? Fault => _reactors?.Fault;

    /// <inheritdoc/>
    public TimeSpan? LookEvery => BackendReactors.LookEvery;

    /// <inheritdoc/>
    public AssignmentRefusal? Prepare(Assignment assignment)
    {
        var work = assignment.Backend!;
        if (_work is not null)
        {
            return _work.Ports.SequenceEqual(work.Ports) && _work == work with { Ports = _work.Ports }
                ? null
                : new("backend", "change", "the ports and the answers of a backend cannot change while its run lasts; start another run");
        }

        var options = new BackendOptions { Listen = [.. Endpoints(work.Ports)], Greet = work.Greet, Http = work.Http, Echo = work.Echo };
        // Asked first, to say how many there are.
        var problems = ListenProbe.Probe(options.Listen);
        return problems.Count switch
        {
            0 => Listen(work, options),
            1 => Refusal(problems[0].Message),
            _ => Refusal($"{problems[0].Message} ({problems.Count:N0} of {options.Listen.Length:N0} endpoints cannot be listened on)"),
        };
    }

    /// <inheritdoc/>
    public void Pursue(Assignment assignment, long startNanos)
    {
        // Who connects sets the pace.
    }

    /// <inheritdoc/>
    public void Drain(TimeSpan timeout) => _reactors?.Drain();

    /// <inheritdoc/>
    public void Snapshot(SampleBuilder builder)
    {
        builder.BeginRound();
        _reactors?.Look(BackendReactors.Patience, builder.Add);
    }

    /// <inheritdoc/>
    public void Dispose() => _reactors?.Dispose();

    private IEnumerable<(IpAddress, int)> Endpoints(ImmutableArray<PortSpan> ports) =>
        from span in ports
        from port in Enumerable.Range(span.First, span.Count)
        from address in addresses
        where Socket.OSSupportsIPv6 || !address.IsV6
        select (address, port);

    private static AssignmentRefusal Refusal(string message) => new("backend.ports", "ports", message);

    private AssignmentRefusal? Listen(BackendWork work, BackendOptions options)
    {
        var reactors = new BackendReactors(options);
        try
        {
            reactors.Start();
            (_work, _reactors) = (work, reactors);
            return null;
        }
        catch (InvalidOperationException e)
        {
            reactors.Dispose();
            return Refusal(e.Message);
        }
    }
}
