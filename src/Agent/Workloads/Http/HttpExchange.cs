using LoadHarness.Agent.Engine;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads.Http;

/// <summary>HTTP/1.1: the same request again and again, and its responses.</summary>
internal sealed class HttpExchange(WorkloadPlan.Http plan) : IExchange
{
    private readonly KnownHead _head = new();
    private readonly bool[] _isExpected = [.. Enumerable.Range(0, ResponseParser.HighestStatus + 1).Select(s => plan.Expected.Any(e => e.Contains(s)))];
    private SlotArray<State> _states = null!;

    private struct State
    {
        public ResponseParser Parser;
        public int Sent;
        public int Destination;
    }

    /// <inheritdoc/>
    public void Reserve(int capacity) => _states = new SlotArray<State>(capacity);

    /// <inheritdoc/>
    public void Begin(int slot, int destination, uint number)
    {
        ref var state = ref _states[slot];
        state.Parser.Expect(plan.ToHead);
        state.Sent = 0;
        state.Destination = plan.Requests.Length == 1 ? 0 : destination;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Unsent(int slot) => plan.Requests[_states[slot].Destination].AsSpan(_states[slot].Sent);

    /// <inheritdoc/>
    public void Sent(int slot, int bytes) => _states[slot].Sent += bytes;

    /// <inheritdoc/>
    public ExchangeAnswer Receive(int slot, ReadOnlySpan<byte> bytes, out int used)
    {
        ref var parser = ref _states[slot].Parser;
        return AnswerOf(_head.Parse(ref parser, bytes, out used), parser);
    }

    /// <inheritdoc/>
    public ExchangeAnswer End(int slot)
    {
        ref var parser = ref _states[slot].Parser;
        return AnswerOf(parser.End(), parser);
    }

    /// <inheritdoc/>
    public bool HasBegun(int slot) => _states[slot].Parser.HasBegun;

    /// <inheritdoc/>
    public bool Closes(int slot) => _states[slot].Parser.Closes;

    /// <inheritdoc/>
    public void Dispose() => _states.Dispose();

    private ExchangeAnswer AnswerOf(ParseResult result, in ResponseParser parser) => result switch
    {
        ParseResult.More => ExchangeAnswer.More,
        ParseResult.Response when _isExpected[parser.Status] => ExchangeAnswer.Completed,
        ParseResult.Response => new(ExchangeAnswerKind.Unwanted, FailureCause.UnexpectedStatus, parser.Status),
        _ => new(ExchangeAnswerKind.Bad, FailureCause.ProtocolError, FailureCode.OfResponse(parser.Fault)),
    };
}
