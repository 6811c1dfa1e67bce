namespace LoadHarness.Coordinator.Store;

/// <summary>Which start of the machine this is: instants of <see cref="TimeProvider.GetTimestamp"/> compare within one.</summary>
internal static class BootId
{
    /// <summary>Empty when the kernel does not say.</summary>
    public static string Present { get; } = Read();

    private static string Read()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
