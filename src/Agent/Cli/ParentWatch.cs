using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Cli;

/// <summary>
/// `--exit-with-parent`: leaves no process behind, however the parent ends. The kernel kills this process when the thread
/// that created it ends; and the end of standard input, a pipe that only the parent holds, says the same where the kernel
/// cannot (the parent died before we asked, or runs in another process namespace).
/// </summary>
internal static class ParentWatch
{
    /// <summary>Starts watching. Call it first: <paramref name="parentAtStart"/> must still be the parent.</summary>
    /// <param name="parentAtStart">As it was when this process began.</param>
    public static void Start(int parentAtStart)
    {
        ParentProcess.DieWithParent();
        if (ParentProcess.Id != parentAtStart)
            ParentProcess.ExitNow(0);
        new Thread(ExitAtEndOfInput) { IsBackground = true, Name = "parent-watch" }.Start();
    }

    private static void ExitAtEndOfInput()
    {
        ParentProcess.WaitForEndOfInput();
        ParentProcess.ExitNow(0);
    }
}
