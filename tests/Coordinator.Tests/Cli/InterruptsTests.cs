using System.Diagnostics;
using LoadHarness.Coordinator.Cli;

namespace LoadHarness.Coordinator.Tests.Cli;

public class InterruptsTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    [Test]
    public void Raise_OnceAndTwice_CancelsOneAfterTheOther()
    {
        using var interrupts = new Interrupts();
        interrupts.Raise();
        Assert.That(interrupts.First.WaitHandle.WaitOne(_patience), Is.True);
        Assert.That(interrupts.Second.IsCancellationRequested, Is.False);
        interrupts.Raise();
        Assert.That(interrupts.Second.WaitHandle.WaitOne(_patience), Is.True);
        interrupts.Raise();
    }

    [TestCase("HUP")]
    [TestCase("TERM")]
    [TestCase("INT")]
    public void Listen_Signal_IsCountedAndDoesNotEndTheProcess(string signal)
    {
        using var interrupts = new Interrupts();
        interrupts.Listen();
        using var kill = Process.Start("kill", [$"-{signal}", $"{Environment.ProcessId}"]);
        Assert.That(interrupts.First.WaitHandle.WaitOne(_patience), Is.True);
    }
}
