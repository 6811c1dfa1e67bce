using System.Collections.Concurrent;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>
/// The one thread that starts children and then waits for as long as the fleet lives. A child asks the kernel to be
/// killed when its parent dies, and to the kernel the parent is the thread that created it: a pool thread would take
/// the children along whenever the pool shrinks.
/// </summary>
public sealed class ChildStarter : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    public ChildStarter()
    {
        _thread = new Thread(Work) { Name = "child-starter", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Starts one child.</summary>
    /// <exception cref="LocalFleetException">It cannot be executed.</exception>
    public Task<ChildProcess> StartAsync(ChildSpec spec)
    {
        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                started.SetResult(ChildProcess.Start(spec));
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    /// <summary>Ends the thread, and with it every child that is still there.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private void Work()
    {
        foreach (var action in _work.GetConsumingEnumerable())
            action();
    }
}
