namespace LoadHarness.Agent.Engine;

/// <summary>
/// Whose turn it is among weighted destinations: the one with the least (n + 1/2) / weight after n turns. So at every number of
/// turns they are shared out as the method of Sainte-Lague shares seats: within one of the weights' proportions. O(log destinations).
/// </summary>
internal sealed class WeightedTurns
{
    private readonly int[] _weights;
    private readonly long[] _turns;
    private readonly PriorityQueue<int, (double Turn, int Destination)> _order;

    public WeightedTurns(IReadOnlyList<int> weights)
    {
        _weights = [.. weights];
        _turns = new long[_weights.Length];
        _order = new(_weights.Length);
        for (var i = 0; i < _weights.Length; i++)
            _order.Enqueue(i, KeyOf(i));
    }

    /// <summary>The destination whose turn it is; false when all have been left out.</summary>
    public bool TryPeek(out int destination) => _order.TryPeek(out destination, out _);

    /// <summary>It has had its turn.</summary>
    public void Next()
    {
        var destination = _order.Peek();
        _turns[destination]++;
        _order.DequeueEnqueue(destination, KeyOf(destination));
    }

    /// <summary>It cannot take its turns: the others go on.</summary>
    public void LeaveOut() => _order.Dequeue();

    /// <summary>One that was left out can take its turns again, and makes up for none.</summary>
    public void Readmit(int destination) => _order.Enqueue(destination, KeyOf(destination));

    private (double Turn, int Destination) KeyOf(int destination) => ((_turns[destination] + 0.5) / _weights[destination], destination);
}
