using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class TupleQueueTests
{
    [Test]
    public void EnqueueAndDequeue_InAnyOrder_BehaveAsAQueue() =>
        Gen.Int[-400, 600].Array[1, 20].Sample(runs =>
        {
            using var queue = new TupleQueue();
            var model = new Queue<(EndpointTuple Tuple, uint Stamp)>();
            var number = 0;
            foreach (var run in runs)
            {
                for (var i = 0; i < run; i++, number++)
                {
                    var tuple = new EndpointTuple(number, (ushort)number);
                    queue.Enqueue(tuple, (uint)number * 7);
                    model.Enqueue((tuple, (uint)number * 7));
                }

                for (var i = run; i < 0 && model.Count > 0; i++)
                {
                    var (tuple, stamp) = model.Dequeue();
                    if (queue.OldestStamp != stamp || queue.Dequeue() != tuple)
                        return false;
                }

                if (queue.Count != model.Count)
                    return false;
            }

            return true;
        });

    [Test]
    public void Enqueue_LargestUnitAndDestination_ComeBackWhole()
    {
        using var queue = new TupleQueue();
        var tuple = new EndpointTuple(int.MaxValue, ushort.MaxValue);

        queue.Enqueue(tuple, uint.MaxValue);

        Assert.Multiple(() =>
        {
            Assert.That(queue.OldestStamp, Is.EqualTo(uint.MaxValue));
            Assert.That(queue.Dequeue(), Is.EqualTo(tuple));
        });
    }
}
