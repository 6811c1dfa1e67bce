namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// Decides which samples are new. Within one process life of an agent sequences rise, and after a reconnect the
/// unacknowledged ones come again from the lowest: so whatever is not above the highest one taken was taken before.
/// </summary>
internal sealed class SampleIntake
{
    private readonly Lock _lock = new();
    private Life _life = new("");

    /// <summary>Takes a sample unless it was taken before.</summary>
    /// <param name="incarnation">The process life that measured it.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="keep">Keeps it. Called once for each sample; if it fails, those that are not stored yet count as not taken.</param>
    /// <returns>The sequence to acknowledge, when everything taken so far is stored; fails as <paramref name="keep"/> does.</returns>
    public Task<ulong> TakeAsync(string incarnation, ulong sequence, Func<Task> keep)
    {
        lock (_lock)
        {
            if (_life.Incarnation != incarnation)
                _life = new(incarnation);
            if (sequence > _life.Failed)
                return Task.FromException<ulong>(new InvalidOperationException($"sample {_life.Failed} before it was not stored"));
            if (_life.Failed is not null)
                (_life.Failed, _life.Taken, _life.Storing) = (null, _life.Stored, Task.FromResult(_life.Stored));
            if (sequence > _life.Taken)
            {
                var storing = keep();
                _life.Taken = sequence;
                _life.Storing = StoreAsync(_life, sequence, _life.Storing, storing);
            }

            return _life.Storing;
        }
    }

    /// <summary>Samples up to one were stored by an earlier life of the coordinator.</summary>
    public void Restore(string incarnation, ulong sequence)
    {
        lock (_lock)
            _life = new(incarnation) { Taken = sequence, Stored = sequence, Storing = Task.FromResult(sequence) };
    }

    // In order: one that failed takes those behind it along, for an acknowledgement covers all below it.
    private async Task<ulong> StoreAsync(Life life, ulong sequence, Task<ulong> before, Task storing)
    {
        try
        {
            await Task.WhenAll(before, storing);
        }
        catch
        {
            lock (_lock)
                life.Failed = Math.Min(life.Failed ?? sequence, sequence);

            throw;
        }

        lock (_lock)
            return life.Stored = Math.Max(life.Stored, sequence);
    }

    private sealed class Life(string incarnation)
    {
        public string Incarnation => incarnation;

        public ulong Taken { get; set; }

        public ulong Stored { get; set; }

        /// <summary>The first one that could not be stored: it must come again before any other; null when there is none.</summary>
        public ulong? Failed { get; set; }

        public Task<ulong> Storing { get; set; } = Task.FromResult(0UL);
    }
}
