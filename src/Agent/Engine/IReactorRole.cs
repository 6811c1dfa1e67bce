using System.Collections.Immutable;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// What a reactor does with its connections: opening them, or accepting them. Called on the reactor's thread, which
/// allocates nothing and wakes no thread of the runtime.
/// </summary>
public interface IReactorRole : IDisposable
{
    /// <summary>Sockets of the thread that starts the reactor which this role shares: they are kept in the reactor's own descriptor table.</summary>
    ImmutableArray<int> Shared => [];

    /// <summary>Called once, before the loop starts.</summary>
    void OnStart(Reactor reactor);

    /// <summary>A command that the reactor itself does not know.</summary>
    void OnCommand(ReactorCommand command);

    /// <summary>Events of a live slot, or the call that it asked for: a bound had stopped it.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="events">Bits as in <see cref="Interop.Libc.Epoll"/>.</param>
    void OnEvents(int slot, uint events);

    /// <summary>The deadline of a slot has passed; it has been taken out of the wheel.</summary>
    void OnExpired(int slot);

    /// <summary>Does what time calls for: opens, closes.</summary>
    /// <param name="nowNanos">CLOCK_BOOTTIME.</param>
    /// <returns>When to be called next at the latest; <see cref="long.MaxValue"/> when only an event can change anything.</returns>
    long Pace(long nowNanos);

    /// <summary>Adds gauges, histograms and flags to a snapshot; counters are the reactor's.</summary>
    void OnSnapshot(ReactorSnapshot snapshot);
}
