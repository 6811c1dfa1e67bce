using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// One thread with its own descriptor table, epoll set, connection table, timer wheel and counters. Nothing of it is
/// shared: other threads speak to it through its mailbox, and it answers by filling what it was handed and ringing a bell.
/// <para>
/// The thread never starts or wakes a thread of the managed runtime (no Task, timer, channel, Console or logger): a
/// thread born here would live in this descriptor table.
/// </para>
/// </summary>
public sealed partial class Reactor : IDisposable
{
    /// <summary>Descriptors of a reactor's table that are not for connections: what it inherited, its epoll set, room for the runtime.</summary>
    public const int ReservedDescriptors = 200;

    private const int StackBytes = 256 * 1024;

    private readonly Thread _thread;
    private readonly ReactorMailbox _mailbox = new();
    private readonly EventFd _bell;
    private readonly IReactorRole _role;
    private SlotLists _lists = null!;
    private TimerWheel _wheel = null!;
    private volatile Exception? _fault;
    private bool _disposed;

    /// <summary>Makes a reactor; it does nothing before <see cref="Start"/>.</summary>
    /// <param name="number">From 0; names the thread.</param>
    /// <param name="descriptorLimit">RLIMIT_NOFILE.</param>
    /// <param name="privateTable">Own a descriptor table; otherwise the process's is shared and its limit binds for all.</param>
    /// <param name="role">What it does with its connections.</param>
    /// <param name="bell">Rung when a snapshot is filled.</param>
    public Reactor(int number, int descriptorLimit, bool privateTable, IReactorRole role, EventFd bell)
    {
        Number = number;
        HasPrivateTable = privateTable;
        _role = role;
        _bell = bell;
        Connections = new ConnectionTable(descriptorLimit);
        _thread = new Thread(Run, StackBytes) { Name = $"reactor-{number}", IsBackground = true };
    }

    /// <summary>From 0.</summary>
    public int Number { get; }

    /// <summary>Whether RLIMIT_NOFILE binds for this reactor alone.</summary>
    public bool HasPrivateTable { get; }

    /// <summary>Its connections; for its role only.</summary>
    public ConnectionTable Connections { get; }

    /// <summary>Its counters; for its role only.</summary>
    public ref ReactorCounters Counters => ref _counters;

    /// <summary>Its failures; for its role only.</summary>
    public FailureTable Failures { get; } = new();

    /// <summary>CLOCK_BOOTTIME when the loop last woke up, in nanoseconds; for its role only.</summary>
    public long NowNanos { get; private set; }

    /// <summary>What ended the thread, when it was not <see cref="Dispose"/>; null while all is well.</summary>
    public Exception? Fault => _fault;

    /// <summary>Starts the thread and returns when its descriptor table is its own and its epoll set is there.</summary>
    public void Start()
    {
        _thread.Start();
        // Waited for by polling: the reactor must not wake a thread of the runtime.
        while (!Volatile.Read(ref _ready) && _fault is null)
            Thread.Sleep(1);
        if (_fault is not { } fault)
            return;
        Dispose();
        throw new InvalidOperationException($"reactor {Number} did not start: {fault.Message}", fault);
    }

    /// <summary>Hands a command over; returns at once. A reactor that has ended takes none.</summary>
    public void Post(ReactorCommand command) => _mailbox.Post(command);

    /// <summary>Sets the deadline of a slot that is in no list.</summary>
    public void SetDeadline(int slot, long deadlineNanos) => _wheel.Set(slot, deadlineNanos);

    /// <summary>Clears the deadline of a slot.</summary>
    public void ClearDeadline(int slot) => _wheel.Clear(slot);

    /// <summary>Puts a slot that is in no list into the list of held connections, as the newest.</summary>
    public void Hold(int slot) => _lists.Push(HeldList, slot);

    /// <summary>Takes a slot out of the list of held connections.</summary>
    public void Unhold(int slot) => _lists.Remove(slot);

    /// <summary>The newest held connection, or -1.</summary>
    public int NewestHeld => _lists.First(HeldList);

    /// <summary>The connection that has been held longest, or -1.</summary>
    public int OldestHeld => _lists.Last(HeldList);

    /// <summary>Registers a descriptor, edge-triggered and once for all.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="state">What it is.</param>
    /// <param name="writable">Whether room to write is of interest too.</param>
    /// <returns>On failure the slot is not in use, and the descriptor is still open.</returns>
    public SysResult Watch(int slot, ConnectionState state, bool writable = true)
    {
        // The limit may have been raised since the table was made.
        if (slot >= Connections.Capacity)
            return SysResult.Failed(Errno.EMFILE);
        var events = Epoll.In | Epoll.ReadHangUp | Epoll.EdgeTriggered | (writable ? Epoll.Out : 0);
        var added = Epoll.Add(_epoll, slot, events, Connections.Open(slot, state));
        if (!added.Ok)
            Connections.Release(slot);
        return added;
    }

    /// <summary>Takes a listener, or another descriptor that is shared, into use; it is not watched yet, and closed with the reactor.</summary>
    public void OpenListener(int slot) => Connections.Open(slot, ConnectionState.Listener);

    /// <summary>
    /// Watches a listener, level-triggered: who could not be accepted now is reported again. A newcomer wakes one of the reactors that
    /// watch copies of it; who watches anew goes to the end of their queue, and is told of those who wait already.
    /// </summary>
    public SysResult WatchListener(int slot)
    {
        UnwatchListener(slot);
        return Epoll.Add(_epoll, slot, Epoll.In | Epoll.Exclusive, Connections.Handle(slot));
    }

    /// <summary>Stops events of a listener until it is watched again; it stays open. Closing it would not: its copies keep it.</summary>
    public void UnwatchListener(int slot) => Epoll.Remove(_epoll, slot);

    /// <summary>Calls the role again for this slot in the next turn: no new edge says what is still to be read.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="events">What it was called with now: a peer's FIN behind the data is not reported twice.</param>
    public void ContinueLater(int slot, uint events)
    {
        if ((events & Epoll.ReadHangUp) != 0)
            Connections.Marks(slot) |= ConnectionMarks.PeerEnded;
        if (_continueCount < _continue.Length)
            _continue[_continueCount++] = Connections.Handle(slot);
        else
            Epoll.Rearm(_epoll, slot, Epoll.In | Epoll.Out | Epoll.ReadHangUp | Epoll.EdgeTriggered, Connections.Handle(slot));
    }

    /// <summary>Ends the use of a slot and closes its descriptor.</summary>
    /// <param name="slot">The slot; in no list any more.</param>
    /// <param name="reset">With RST instead of FIN.</param>
    public void Close(int slot, bool reset)
    {
        Connections.Release(slot);
        if (reset)
            Sockets.Abort(slot);
        else
            Sockets.Close(slot);
    }

    /// <summary>Ends the thread; returns when every socket of it is closed.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_thread.IsAlive)
        {
            Post(new ReactorCommand.Stop());
            _thread.Join();
        }

        _role.Dispose();
        Connections.Dispose();
        _mailbox.Dispose();
    }
}
