using LoadHarness.V1;

namespace LoadHarness.Agent.Safety;

/// <summary>
/// Whether memory allows connections to be opened, and FINs to be sent (each costs a page of TCP memory until the peer has
/// acknowledged it). What has been stopped goes on only when there is clearly more room than at the stop. Written by one thread,
/// read by any.
/// </summary>
public sealed class MemoryGuard
{
    // Parts of the high mark of net.ipv4.tcp_mem, beyond which the kernel resets orphans and refuses buffers.
    private const double GrowthStopsAt = 0.9;
    private const double FinsStopAt = 0.85;
    private const double GoesOnBelow = 0.75;

    private volatile int _growthStop;
    private volatile bool _stopsFins;

    /// <summary>Why nothing more is opened.</summary>
    public GrowthStop GrowthStop => (GrowthStop)_growthStop;

    /// <summary>Whether no FIN is to be sent now.</summary>
    public bool StopsFins => _stopsFins;

    /// <summary>The reading that <see cref="GrowthStop"/> came from; for the writing thread only.</summary>
    public MemoryReading Newest { get; private set; }

    /// <summary>Takes a reading.</summary>
    public void Take(MemoryReading reading)
    {
        Newest = reading;
        var tcp = reading.TcpHighPages > 0 ? (double)reading.TcpPages / reading.TcpHighPages : 0;
        var least = GrowthStop == GrowthStop.Memory ? reading.ReserveBytes * 3 / 2 : reading.ReserveBytes;
        if (reading.FreeBytes < least)
            _growthStop = (int)GrowthStop.Memory;
        else if (tcp >= (GrowthStop == GrowthStop.TcpMemory ? GoesOnBelow : GrowthStopsAt))
            _growthStop = (int)GrowthStop.TcpMemory;
        else
            _growthStop = (int)GrowthStop.None;
        _stopsFins = tcp >= (_stopsFins ? GoesOnBelow : FinsStopAt);
    }
}
