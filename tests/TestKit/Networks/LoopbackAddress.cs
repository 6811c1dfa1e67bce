using System.Net;

namespace LoadHarness.TestKit.Networks;

/// <summary>Addresses of 127.0.0.0/8, all of which are there without being set up: one for each who asks.</summary>
public static class LoopbackAddress
{
    private static readonly int _process = 64 + (Environment.ProcessId % 128);
    private static int _last;

    /// <summary>An address that nobody else in this process uses, and that no other test process is likely to.</summary>
    public static IPAddress Next() => Next(1);

    /// <summary>The first of several in a row.</summary>
    /// <param name="count">1 to 200.</param>
    public static IPAddress Next(int count)
    {
        // A row ends within one byte.
        var number = Interlocked.Add(ref _last, 256) - 256;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 200);
        return new([127, (byte)_process, (byte)(number / 256 % 256), 1]);
    }
}
