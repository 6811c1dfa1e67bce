namespace LoadHarness.TestKit.Processes;

/// <summary>A program that has ended.</summary>
/// <param name="What">What was started.</param>
/// <param name="ExitCode">128 + the signal's number when a signal ended it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Log">Both, with times.</param>
public sealed record ProgramResult(ProgramStart What, int ExitCode, string Output, string Error, string Log);
