namespace LoadHarness.Agent.Engine;

/// <content>
/// Weighted destinations: each goes through the units on its own, and which one is next is a matter of <see cref="WeightedTurns"/>.
/// </content>
public sealed partial class EndpointCursor
{
    private readonly WeightedOrder? _weighted;

    private bool TryTakeWeighted(WeightedOrder order, out EndpointTuple tuple)
    {
        while (order.Turns.TryPeek(out var destination))
        {
            while (TryNextOf(order, destination, out tuple, out var segment))
            {
                if (!IsUsable(segment, tuple))
                    continue;
                order.Turns.Next();
                return true;
            }

            order.LeaveOut(destination);
        }

        tuple = default;
        return false;
    }

    private bool TryNextOf(WeightedOrder order, int destination, out EndpointTuple tuple, out EndpointSegment segment)
    {
        ref var step = ref order.Steps[destination];
        if (_segments.Count == 0 || step == _segments[^1].EndUnit)
        {
            (tuple, segment) = (default, null!);
            return false;
        }

        segment = SegmentOf(step);
        tuple = new(segment.UnitAt(step - segment.FirstUnit, destination), (ushort)destination);
        step++;
        return true;
    }

    private sealed class WeightedOrder(IReadOnlyList<int> weights)
    {
        private readonly List<int> _leftOut = new(weights.Count);

        public WeightedTurns Turns { get; } = new(weights);

        /// <summary>Units that each destination has met.</summary>
        public int[] Steps { get; } = new int[weights.Count];

        public void LeaveOut(int destination)
        {
            Turns.LeaveOut();
            _leftOut.Add(destination);
        }

        /// <summary>There are more units: nobody has met them all.</summary>
        public void Readmit()
        {
            foreach (var destination in _leftOut)
                Turns.Readmit(destination);
            _leftOut.Clear();
        }
    }
}
