namespace LoadHarness.TestKit.Processes;

/// <summary>A program did not do what the test waited for; the message holds all that it wrote.</summary>
public sealed class ProgramException : Exception
{
    internal ProgramException(ProgramProcess process, string problem)
        : base($"{process} {problem}{(process.HasExited || process.Log.Ended ? "; it has ended" : "")}. It wrote:\n{process.Log.Everything}")
    {
    }
}
