using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Workloads;

/// <summary>Counts what has come, and connections that the target has sent a first byte on.</summary>
internal static class Greeted
{
    /// <summary>Notes bytes of a connection; 0 is no matter.</summary>
    public static void Note(Reactor reactor, int slot, long bytes)
    {
        if (bytes == 0)
            return;
        reactor.Counters.BytesReceived += bytes;
        ref var marks = ref reactor.Connections.Marks(slot);
        if ((marks & ConnectionMarks.Greeted) != 0)
            return;
        marks |= ConnectionMarks.Greeted;
        reactor.Counters.Confirmed++;
    }
}
