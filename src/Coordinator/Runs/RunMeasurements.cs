using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunEvent = LoadHarness.Coordinator.Aggregation.RunEvent;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// What a run has measured so far. Samples arrive on the agents' calls and the run's loop reads: one lock holds them apart,
/// for the timeline itself has none.
/// </summary>
/// <param name="spec">What the user asked for.</param>
/// <param name="elapsed">Now; zero before the start instant.</param>
/// <param name="keepEvent">Keeps an event with its number, from 1, on; returns at once.</param>
internal sealed partial class RunMeasurements(RunSpec spec, Func<TimeSpan> elapsed, Action<int, RunEvent> keepEvent)
{
    private const int MostNotes = 200;

    // One agent that has very much to say leaves room for what the others have.
    private const int MostNotesOfOne = 20;

    // And for what is said about it.
    private const int MostSaidByOne = 15;
    private const int SecondsBeforeHopeless = 5;

    // A drain comes after the longest run; samples beyond that are no samples of it.
    private static readonly TimeSpan _drainAllowance = TimeSpan.FromHours(2);

    private readonly Lock _lock = new();
    private readonly Timeline _timeline = new(spec.MaxDuration + _drainAllowance);
    private readonly SampleFold _fold = new();
    private readonly BackendTimeline _backendTimeline = new(spec.MaxDuration + _drainAllowance);
    private readonly HashSet<string> _backends = new(StringComparer.Ordinal);
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private readonly HashSet<(string AgentId, string Subject)> _noted = [];
    private readonly RunEvents _events = new(keepEvent);
    private RunStorms? _storms;
    private ImmutableArray<RunNote> _notes = [];
    private int _published;
    private int _folded;
    private bool _shrinking;

    /// <summary>What the report must say beside the numbers, oldest first.</summary>
    public ImmutableArray<RunNote> Notes
    {
        get
        {
            lock (_lock)
                return _notes;
        }
    }

    /// <summary>What has happened so far.</summary>
    public RunEvents Events => _events;

    /// <summary>Its reconnect storms.</summary>
    public RunStorms Storms => _storms ??= new(judge => Read((timeline, _) => judge(timeline)));

    /// <summary>The agents of a plan, and backends, take part from the start instant on.</summary>
    public void Begin(RunPlan plan, IEnumerable<string> backends)
    {
        lock (_lock)
        {
            foreach (var backend in backends.Where(_backends.Add))
                _backendTimeline.Timeline.Join(backend, TimeSpan.Zero);
            foreach (var agent in plan.Agents.Where(a => _members.Add(a.AgentId)))
                _timeline.Join(agent.AgentId, TimeSpan.Zero);
        }
    }

    /// <summary>Another plan is in force.</summary>
    public void Replan(RunPlan before, RunPlan plan, TimeSpan elapsed)
    {
        lock (_lock)
        {
            _shrinking = plan.Goal < before.Schedule.GoalAt(elapsed);
            foreach (var agent in plan.Agents.ExceptBy(before.Agents.Select(a => a.AgentId), a => a.AgentId))
            {
                _members.Add(agent.AgentId);
                _timeline.Join(agent.AgentId, elapsed);
            }

            foreach (var agent in before.Agents.ExceptBy(plan.Agents.Select(a => a.AgentId), a => a.AgentId))
                _timeline.Leave(agent.AgentId, elapsed);
        }
    }

    /// <summary>Takes a sample. One of an agent that never worked for this run is passed over.</summary>
    public void Add(AgentSample sample)
    {
        SampleOutcome outcome;
        lock (_lock)
        {
            if (_backends.Contains(sample.AgentId))
                outcome = _backendTimeline.Add(sample);
            else if (_members.Contains(sample.AgentId))
                outcome = _timeline.Add(sample);
            else
                return;
            if (outcome == SampleOutcome.Added)
                _fold.Add(sample, ofBackend: _backends.Contains(sample.AgentId));
        }

        if (outcome == SampleOutcome.OutOfRange)
        {
            Note(sample.AgentId, new(Finding.Types.Severity.Error, "sample.to_millis",
                $"sample {sample.Sequence} of agent {sample.AgentId} was left out: "
                + $"{sample.From} to {sample.To} is no interval of this run"));
        }
    }

    /// <summary>
    /// An agent was lost: from then on it certainly holds nothing. What it held between its last report and that nobody knows; it stays missing.
    /// </summary>
    public void Lose(string agentId, TimeSpan elapsed)
    {
        lock (_lock)
            TimelineOf(agentId).Leave(agentId, elapsed);
    }

    /// <summary>A lost agent is back.</summary>
    public void Return(string agentId, TimeSpan elapsed)
    {
        lock (_lock)
            TimelineOf(agentId).Join(agentId, elapsed);
    }

    /// <summary>Connections that an agent held by its newest sample.</summary>
    public long HeldBy(string agentId)
    {
        lock (_lock)
            return TimelineOf(agentId).Agent(agentId)?.Newest.Established ?? 0;
    }

    /// <summary>Something has happened now that the report must say; the same may happen again.</summary>
    /// <param name="kind">One of <see cref="RunEventKinds"/>, or another stable name.</param>
    /// <param name="agentId">Empty: the run as a whole.</param>
    /// <param name="message">A whole sentence for people.</param>
    public void Event(string kind, string agentId, string message) => _events.Add(new(elapsed(), kind, agentId, message));

    /// <summary>Notes something that the report must say; the same subject of one agent once. It is an event too.</summary>
    /// <param name="agentId">Empty: the run as a whole.</param>
    /// <param name="finding">What.</param>
    /// <param name="kind">As for <see cref="Event"/>.</param>
    /// <param name="isItsOwn">The agent says it itself.</param>
    public void Note(string agentId, AgentFinding finding, string kind = RunEventKinds.Finding, bool isItsOwn = false)
    {
        lock (_lock)
        {
            var most = isItsOwn ? MostSaidByOne : MostNotesOfOne;
            if (_notes.Length >= MostNotes || _notes.Count(n => n.AgentId == agentId) >= most || !_noted.Add((agentId, finding.Subject)))
                return;
            _notes = _notes.Add(new(agentId, finding));
        }

        Event(kind, agentId, finding.Message);
    }

    /// <summary>Says what time it is.</summary>
    /// <returns>The newest complete second, when there is a new one.</returns>
    public RunProgress? Advance(TimeSpan elapsed, RunPlan plan, IEnumerable<RunMember> members, ImmutableArray<RunMember> backends)
    {
        lock (_lock)
        {
            _backendTimeline.Timeline.Advance(elapsed);
            _timeline.Advance(elapsed);
            if (_timeline.CompleteSeconds == _published || _timeline.Newest is not { } newest)
                return null;
            _published = _timeline.CompleteSeconds;
            return ProgressBuilder.Build(_timeline, newest, plan, [.. members], (_backendTimeline.Timeline, backends));
        }
    }

    /// <summary>The end of the newest complete second, elapsed, if the goal was met in it; null otherwise.</summary>
    public TimeSpan? MetAt(long goal)
    {
        lock (_lock)
        {
            if (_timeline.Newest is not { } newest)
                return null;
            var met = _shrinking ? newest.IsWhole && newest.Gauges.Established <= goal : newest.Gauges.Established >= goal;
            return met ? TimeSpan.FromSeconds(newest.Second + 1L) : null;
        }
    }

    /// <summary>
    /// Why the run cannot come to anything: some complete seconds with failures, and nothing was ever established. Null while it can.
    /// </summary>
    public string? WhyHopeless()
    {
        lock (_lock)
        {
            return EarlyAbort.Judge(_timeline, SecondsBeforeHopeless) is null ? null : FailureWords.Explain(_timeline.Failures, spec);
        }
    }

    /// <summary>Whether an agent's newest sample shows no connection.</summary>
    public bool HasNothingOpen(string agentId)
    {
        lock (_lock)
        {
            return TimelineOf(agentId).Agent(agentId) is { NewestAt: not null, Newest: var newest }
                && newest is { Established: 0, Connecting: 0, Handshaking: 0, Closing: 0 };
        }
    }

    /// <summary>
    /// An agent has closed everything: nothing more is expected of it. Its last sample says when that was; the coordinator
    /// heard of it a little later, which may be another second.
    /// </summary>
    public void Finish(string agentId, TimeSpan elapsed)
    {
        lock (_lock)
        {
            var last = HasNothingOpen(agentId) ? TimelineOf(agentId).Agent(agentId)?.NewestAt : null;
            TimelineOf(agentId).Leave(agentId, last < elapsed ? last.Value : elapsed);
        }
    }

    /// <summary>Takes out what can be kept in place of samples: every 10 s some, and the rest at the end.</summary>
    /// <param name="atEnd">No sample comes any more.</param>
    /// <returns>Null when there is not enough yet.</returns>
    public MeasuredFold? TakeFold(bool atEnd)
    {
        lock (_lock)
        {
            if (!atEnd && _timeline.CompleteSeconds < _folded + SampleFold.Length)
                return null;
            _folded = _timeline.CompleteSeconds;
            return Fold(_fold.TakeUpTo(atEnd ? int.MaxValue : _folded));
        }
    }

    /// <summary>The clients begin to close.</summary>
    public void BeginDrain(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _timeline.Kernel.BeginDrain(elapsed);
            _backendTimeline.BeginDrain(elapsed);
        }
    }

    /// <summary>Reads the timelines while no sample comes in.</summary>
    public T Read<T>(Func<Timeline, BackendTimeline, T> read)
    {
        lock (_lock)
            return read(_timeline, _backendTimeline);
    }

    // Which side an agent is on does not change once it takes part.
    private Timeline TimelineOf(string agentId) => _backends.Contains(agentId) ? _backendTimeline.Timeline : _timeline;
}

/// <summary>Something about an agent that the report must say.</summary>
/// <param name="AgentId">Whom it is about.</param>
/// <param name="Finding">What.</param>
internal sealed record RunNote(string AgentId, AgentFinding Finding);
