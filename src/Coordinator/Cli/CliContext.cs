using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What verbs get from outside: streams, terminal, time, runtime directory, and how a coordinator is started.</summary>
public sealed class CliContext
{
    /// <summary>Results: the summary, lists, JSON.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Everything else: plan, progress, diagnostics.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>How progress is shown.</summary>
    public required TerminalStyle Terminal { get; init; }

    /// <summary>Where local coordinators are found.</summary>
    public required RuntimeRoot RuntimeRoot { get; init; }

    /// <summary>Starts a coordinator inside this process.</summary>
    public required StartCoordinator StartCoordinator { get; init; }

    /// <summary>Starts a coordinator that serves until it is stopped.</summary>
    public required StartService StartService { get; init; }

    /// <summary>Signals that ask this process to end.</summary>
    public required Interrupts Interrupts { get; init; }

    /// <summary>Environment variables.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>How long a coordinator that does not answer any more is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Wall clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
