using LoadHarness.Agent.Assignments;

namespace LoadHarness.Agent.Link;

/// <summary>
/// Keeps samples until they are acknowledged. A sample gets its sequence when it is first taken for sending; until then
/// it may be merged with a neighbour, which happens when the outbox is full. One that was sent is never changed: the
/// coordinator tells what it has by sequence. Members may be called from any plain thread; one thread sends.
/// </summary>
public sealed class SampleOutbox
{
    /// <summary>Ten minutes of samples.</summary>
    public const int DefaultCapacity = 600;

    /// <summary>Samples on their way at a time, so that most of a backlog stays mergeable.</summary>
    public const int DefaultWindow = 64;

    private readonly int _capacity;
    private readonly int _window;
    private readonly Lock _gate = new();
    private readonly List<NumberedSample> _sent = [];
    private readonly LinkedList<AgentSample> _unsent = [];
    private TaskCompletionSource _changed = NewSignal();
    private ulong _lastSequence;
    private int _toSendAgain;

    /// <summary>An empty one.</summary>
    /// <param name="capacity">Samples that are kept as they are, at least 2; beyond it neighbours are merged.</param>
    /// <param name="window">Samples that may be sent and not acknowledged, at least 1.</param>
    public SampleOutbox(int capacity = DefaultCapacity, int window = DefaultWindow)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        (_capacity, _window) = (capacity, window);
    }

    /// <summary>Samples that are not acknowledged yet.</summary>
    public int Count
    {
        get { lock (_gate) return _sent.Count + _unsent.Count; }
    }

    /// <summary>Puts in a new sample.</summary>
    public void Add(AgentSample sample)
    {
        lock (_gate)
        {
            _unsent.AddLast(sample);
            if (_sent.Count + _unsent.Count > _capacity)
                MergeShortestNeighbours();
        }

        Signal();
    }

    /// <summary>Takes the next sample to send, lowest sequence first: after <see cref="Rewind"/> those that were sent already.</summary>
    /// <returns>False when there is none, or too many are on their way.</returns>
    public bool TryTake(out NumberedSample sample)
    {
        lock (_gate)
        {
            sample = default;
            if (_toSendAgain > 0)
            {
                sample = _sent[^_toSendAgain--];
                return true;
            }

            if (_unsent.First is not { } first || _sent.Count >= _window)
                return false;
            _unsent.RemoveFirst();
            sample = new(++_lastSequence, first.Value);
            _sent.Add(sample);
            return true;
        }
    }

    /// <summary>Everything up to and including a sequence is safe with the coordinator.</summary>
    public void Acknowledge(ulong sequence)
    {
        lock (_gate)
        {
            // It cannot be kept before it was sent: who says so has not kept what lies before it either.
            if (sequence > _lastSequence)
                return;
            var known = _sent.FindIndex(s => s.Sequence > sequence);
            _sent.RemoveRange(0, known < 0 ? _sent.Count : known);
            _toSendAgain = Math.Min(_toSendAgain, _sent.Count);
        }

        Signal();
    }

    /// <summary>The connection was lost: what is not acknowledged is sent again, under its old sequence.</summary>
    public void Rewind()
    {
        lock (_gate)
            _toSendAgain = _sent.Count;
        Signal();
    }

    /// <summary>Completes at the next change. Ask for it before looking, so that no change is missed.</summary>
    public Task Changed
    {
        get { lock (_gate) return _changed.Task; }
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_gate)
            (changed, _changed) = (_changed, NewSignal());
        changed.SetResult();
    }

    /// <summary>Merges the two neighbours that together span the shortest time, so that resolution is lost evenly.</summary>
    private void MergeShortestNeighbours()
    {
        LinkedListNode<AgentSample>? best = null;
        var shortest = long.MaxValue;
        for (var node = _unsent.First; node?.Next is { } next; node = next)
        {
            var span = next.Value.ToMillis - node.Value.FromMillis;
            if (span < shortest && SampleMerge.CanMerge(node.Value, next.Value))
                (best, shortest) = (node, span);
        }

        if (best?.Next is not { } later)
            return;
        best.Value = SampleMerge.Merge(best.Value, later.Value);
        _unsent.Remove(later);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
