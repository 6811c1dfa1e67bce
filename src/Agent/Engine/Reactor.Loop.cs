using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Engine;

/// <content>The loop: named steps, run by the reactor's thread alone.</content>
public sealed unsafe partial class Reactor
{
    private const int HeldList = TimerWheel.Buckets;
    private const int EventsPerTurn = 512;
    private const int IdleMillis = 250;
    private const long TickNanos = 16_000_000;
    private const long SignalsNanos = IdleMillis * 1_000_000L;
    private const ulong MailboxData = ulong.MaxValue;

    private readonly ulong[] _continue = new ulong[4096];
    private readonly ulong[] _continuing = new ulong[4096];
    private ReactorCounters _counters;
    private EpollEvents _events;
    private int _continueCount;
    private int _harvested;
    private int _epoll = -1;
    private long _wakeNanos;
    private long _signalsNanos;
    private bool _mailRang;
    private bool _stopping;
    private bool _ready;

    private void Run()
    {
        var buffer = (byte*)NativeMemory.Alloc(EventsPerTurn, (nuint)EpollEvents.Size);
        try
        {
            Settle(buffer);
            Volatile.Write(ref _ready, true);
            while (!_stopping)
            {
                Wait();
                Harvest();
                TakeCommands();
                Handle();
                Continue();
                ExpireTimers();
                Pace();
                PassSignalsOn();
            }
        }
        catch (Exception e)
        {
            _fault = e;
            _bell.Signal();
        }
        finally
        {
            CloseAll();
            _mailbox.Close();
            NativeMemory.Free(buffer);
        }
    }

    // The order matters: signals first, since the table's copy has the runtime's signal pipe in it.
    private void Settle(byte* buffer)
    {
        SignalMask.BlockAllButFaults();
        if (HasPrivateTable)
        {
            var unshared = DescriptorTable.Unshare();
            if (!unshared.Ok)
                throw new InvalidOperationException($"close_range(CLOSE_RANGE_UNSHARE): errno {unshared.Errno}");
            DescriptorTable.CloseInheritedSockets(_role.Shared);
        }

        var created = Epoll.Create();
        if (!created.Ok)
            throw new InvalidOperationException($"epoll_create1: errno {created.Errno}");
        _epoll = (int)created.Value;
        _events = new EpollEvents(buffer, EventsPerTurn);
        Epoll.Add(_epoll, _mailbox.Bell.Descriptor, Epoll.In, MailboxData);
        NowNanos = Clock.BoottimeNanos;
        _lists = new SlotLists(Connections.Links, TimerWheel.Buckets + 1);
        _wheel = new TimerWheel(Connections.Links, _lists, TickNanos, NowNanos);
        _role.OnStart(this);
    }

    // Lag is what lies between the moment at which the loop wanted to be here and now.
    private void Wait()
    {
        var before = Clock.BoottimeNanos;
        var timeout = TimeoutNanos(before);
        _counters.LagMaxNanos = Math.Max(_counters.LagMaxNanos, before - NowNanos);
        var waited = Epoll.Wait(_epoll, _events, timeout);
        if (!waited.Ok)
            throw new InvalidOperationException($"epoll_wait: errno {waited.Errno}");
        _harvested = (int)waited.Value;
        NowNanos = Clock.BoottimeNanos;
        // An event may end the wait early, but a thread that did not get its core is late with or without one.
        _counters.LagMaxNanos = Math.Max(_counters.LagMaxNanos, NowNanos - before - timeout);
    }

    // Commands are taken before events are handled, so the mailbox is looked for first.
    private void Harvest()
    {
        for (var i = 0; i < _harvested && !_mailRang; i++)
            _mailRang = _events.Data(i) == MailboxData;
    }

    private void TakeCommands()
    {
        if (!_mailRang)
            return;
        _mailRang = false;
        _mailbox.Bell.Clear();
        while (_mailbox.TryTake(out var command))
        {
            if (command is ReactorCommand.TakeSnapshot take)
                Fill(take.Snapshot);
            else if (command is ReactorCommand.Stop)
                _stopping = true;
            else
                _role.OnCommand(command);
        }
    }

    // Harvested first and handled second: closing one slot may give its number to a new connection before a later
    // event of the same harvest is looked at; the generation in that event tells the two apart.
    private void Handle()
    {
        for (var i = 0; i < _harvested; i++)
        {
            var slot = Connections.Resolve(_events.Data(i));
            if (slot >= 0)
                _role.OnEvents(slot, _events.Events(i));
        }
    }

    private void Continue()
    {
        var count = _continueCount;
        if (count == 0)
            return;
        Array.Copy(_continue, _continuing, count);
        _continueCount = 0;
        for (var i = 0; i < count; i++)
        {
            var slot = Connections.Resolve(_continuing[i]);
            if (slot >= 0)
                _role.OnEvents(slot, Epoll.In | ((Connections.Marks(slot) & ConnectionMarks.PeerEnded) != 0 ? Epoll.ReadHangUp : 0));
        }
    }

    private void ExpireTimers()
    {
        for (var slot = _wheel.TakeExpired(NowNanos); slot >= 0; slot = _wheel.TakeExpired(NowNanos))
            _role.OnExpired(slot);
    }

    private void Pace() => _wakeNanos = _role.Pace(NowNanos);

    // A signal can be aimed at a thread, and this one blocks all: it would wait for ever.
    private void PassSignalsOn()
    {
        if (NowNanos - _signalsNanos < SignalsNanos)
            return;
        _signalsNanos = NowNanos;
        SignalMask.PassOnPending();
    }

    private long TimeoutNanos(long nowNanos)
    {
        if (_continueCount > 0)
            return 0;
        var wake = _wheel.NextNanos(Math.Min(_wakeNanos, nowNanos + (IdleMillis * 1_000_000L)));
        return Math.Max(0, wake - nowNanos);
    }

    private void Fill(ReactorSnapshot snapshot)
    {
        snapshot.Counters = _counters;
        Failures.MoveTo(snapshot.Failures);
        _role.OnSnapshot(snapshot);
        _counters.Restart();
        snapshot.CpuNanos = Clock.ThreadCpuNanos;
        snapshot.AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        snapshot.MarkFilled();
        _bell.Signal();
    }

    // Drained means that each close has returned; the end of the thread alone would close them later.
    private void CloseAll()
    {
        for (var slot = 0; slot < Connections.Capacity; slot++)
        {
            if (Connections.State(slot) == ConnectionState.Free)
                continue;
            // What is set on a listener holds for its copies in other tables.
            Close(slot, reset: Connections.State(slot) != ConnectionState.Listener);
        }

        if (_epoll >= 0)
            Sockets.Close(_epoll);
    }
}
