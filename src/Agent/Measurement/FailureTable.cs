using LoadHarness.V1;

namespace LoadHarness.Agent.Measurement;

/// <summary>
/// Counts failures by stage, cause and errno without allocating. Used by one thread. Kinds are few; should there ever
/// be more than the table holds, the rest is counted under the last kind's cause <see cref="FailureCause.Other"/>.
/// </summary>
public sealed class FailureTable
{
    /// <summary>Kinds that are told apart.</summary>
    public const int Capacity = 64;

    private readonly Entry[] _entries = new Entry[Capacity];

    /// <summary>Kinds seen so far.</summary>
    public int Count { get; private set; }

    /// <summary>The kind with this number, 0 to <see cref="Count"/>-1.</summary>
    public Entry this[int index] => _entries[index];

    /// <summary>Counts failures.</summary>
    public void Add(FailureStage stage, FailureCause cause, int errno, long count = 1)
    {
        for (var i = 0; i < Count; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Stage == stage && entry.Cause == cause && entry.Errno == errno)
            {
                entry.Total += count;
                return;
            }
        }

        if (Count < Capacity)
            _entries[Count++] = new Entry { Stage = stage, Cause = cause, Errno = errno, Total = count };
        else
            Overflow(stage, count);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => Count = 0;

    /// <summary>Moves all counts to another table.</summary>
    public void MoveTo(FailureTable other)
    {
        for (var i = 0; i < Count; i++)
            other.Add(_entries[i].Stage, _entries[i].Cause, _entries[i].Errno, _entries[i].Total);
        Clear();
    }

    private void Overflow(FailureStage stage, long count)
    {
        ref var last = ref _entries[Capacity - 1];
        last = new Entry { Stage = stage, Cause = FailureCause.Other, Errno = 0, Total = last.Total + count };
    }

    /// <summary>Failures of one kind.</summary>
    public struct Entry
    {
        public FailureStage Stage;
        public FailureCause Cause;
        public int Errno;
        public long Total;
    }
}
