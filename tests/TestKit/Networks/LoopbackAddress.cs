using System.Net;

namespace LoadHarness.TestKit.Networks;

/// <summary>Addresses of 127.0.0.0/8, all of which are there without being set up: one for each who asks.</summary>
public static class LoopbackAddress
{
    // Outside of what tests name themselves: 127.77 and 127.78, and those from 127.200 on.
    private const int Lowest = 80;
    private const int Processes = 100;

    private static int _last;

    /// <summary>An address that nobody else in this process uses, and that no other test process is likely to.</summary>
    public static IPAddress Next() => Next(1);

    /// <summary>The first of several in a row.</summary>
    /// <param name="count">1 to 200.</param>
    public static IPAddress Next(int count)
    {
        // A row ends within one byte.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 200);
        var number = Interlocked.Increment(ref _last) - 1;
        // Who needs more than 256 goes on where processes are that began long ago, or much later.
        var network = Lowest + ((Environment.ProcessId + (number / 256 * (Processes / 2))) % Processes);
        return new([127, (byte)network, (byte)(number % 256), 1]);
    }
}
