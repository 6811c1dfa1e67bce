using LoadHarness.Agent.Engine;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>
/// Messages that are to come back as they are. Each is a part of one block of random bytes, at an offset of its own: a message that comes
/// back on the wrong connection, or late, is found out.
/// </summary>
internal sealed class EchoExchange(int size) : IExchange
{
    private const int Offsets = 65_536;

    // Steps that have no divisor in common with the number of offsets, so that all of them have their turn.
    private const uint SlotStep = 7919;
    private const uint MessageStep = 104_729;

    private readonly byte[] _block = CreateBlock(Offsets + size);
    private SlotArray<State> _states = null!;

    private struct State
    {
        public int Offset;
        public int Sent;
        public int Received;
    }

    /// <inheritdoc/>
    public void Reserve(int capacity) => _states = new SlotArray<State>(capacity);

    /// <inheritdoc/>
    public void Begin(int slot, int destination, uint number) =>
        _states[slot] = new State { Offset = (int)((((uint)slot * SlotStep) + (number * MessageStep)) % Offsets) };

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Unsent(int slot) => Message(slot)[_states[slot].Sent..];

    /// <inheritdoc/>
    public void Sent(int slot, int bytes) => _states[slot].Sent += bytes;

    /// <inheritdoc/>
    public ExchangeAnswer Receive(int slot, ReadOnlySpan<byte> bytes, out int used)
    {
        ref var state = ref _states[slot];
        used = Math.Min(bytes.Length, size - state.Received);
        if (!Message(slot).Slice(state.Received, used).SequenceEqual(bytes[..used]))
            return Bad(ResponseFault.OtherContent);
        state.Received += used;
        return state.Received == size ? ExchangeAnswer.Completed : ExchangeAnswer.More;
    }

    /// <inheritdoc/>
    public ExchangeAnswer End(int slot) => Bad(ResponseFault.Truncated);

    /// <inheritdoc/>
    public bool HasBegun(int slot) => _states[slot].Received > 0;

    /// <inheritdoc/>
    public bool Closes(int slot) => false;

    /// <inheritdoc/>
    public void Dispose() => _states.Dispose();

    private ReadOnlySpan<byte> Message(int slot) => _block.AsSpan(_states[slot].Offset, size);

    private static ExchangeAnswer Bad(ResponseFault fault) => new(ExchangeAnswerKind.Bad, FailureCause.ProtocolError, FailureCode.OfResponse(fault));

    private static byte[] CreateBlock(int length)
    {
        var block = new byte[length];
        new Random(length).NextBytes(block);
        // No message begins as a request of HTTP does, so that a backend can tell them apart in a mix.
        for (var i = 0; i < Offsets; i++)
            block[i] |= 0x80;
        return block;
    }
}
