using System.Diagnostics;
using System.Runtime.InteropServices;
using LoadHarness.Coordinator.Cli;

namespace LoadHarness.Coordinator.Tests.Cli;

public class InterruptsTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    // A signal that is handled only after its test has ended must not end this process.
    private readonly List<PosixSignalRegistration> _guards = [];

    [OneTimeSetUp]
    public void Guard() => _guards.AddRange(
        new[] { PosixSignal.SIGHUP, PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(s => PosixSignalRegistration.Create(s, context => context.Cancel = true)));

    [OneTimeTearDown]
    public void Unguard() => _guards.ForEach(g => g.Dispose());

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
        Send(signal);
        Assert.That(interrupts.First.WaitHandle.WaitOne(_patience), Is.True);
    }

    [TestCase("HUP", false)]
    [TestCase("TERM", true)]
    [TestCase("INT", true)]
    public void Listen_SecondSignal_EndsAtOnceUnlessTheTerminalIsLost(string signal, bool atOnce)
    {
        using var interrupts = new Interrupts();
        interrupts.Listen();
        Send("HUP");
        Assert.That(interrupts.First.WaitHandle.WaitOne(_patience), Is.True);
        Send(signal);
        Assert.That(interrupts.Second.WaitHandle.WaitOne(atOnce ? _patience : TimeSpan.FromMilliseconds(300)), Is.EqualTo(atOnce));
    }

    [Test]
    public void Listen_LostTerminalOfWorkThatGoesOnElsewhere_IsNoInterruption()
    {
        using var interrupts = new Interrupts { HangUpDetaches = true };
        interrupts.Listen();
        Send("HUP");
        Assert.That(interrupts.HangUp.WaitHandle.WaitOne(_patience), Is.True);
        Assert.That(interrupts.First.IsCancellationRequested, Is.False);
        Send("INT");
        Assert.That(interrupts.First.WaitHandle.WaitOne(_patience), Is.True);
    }

    private static void Send(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{Environment.ProcessId}"]);
        kill.WaitForExit();
    }
}
