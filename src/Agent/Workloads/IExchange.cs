using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>What requests and responses are made of, for the connections of one reactor. Allocates nothing once its room is reserved.</summary>
internal interface IExchange : IDisposable
{
    /// <summary>Called once, before the first request.</summary>
    /// <param name="capacity">One more than the highest slot.</param>
    void Reserve(int capacity);

    /// <summary>A request begins.</summary>
    /// <param name="slot">On this connection.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="number">0, 1, 2, ... on this connection.</param>
    void Begin(int slot, int destination, uint number);

    /// <summary>What is still to be sent of it.</summary>
    ReadOnlySpan<byte> Unsent(int slot);

    /// <summary>So many bytes of it are sent, and others are not.</summary>
    void Sent(int slot, int bytes);

    /// <summary>Reads on in the response.</summary>
    /// <param name="slot">The connection.</param>
    /// <param name="bytes">What has come, at least one byte.</param>
    /// <param name="used">How many of them belong to the response.</param>
    ExchangeAnswer Receive(int slot, ReadOnlySpan<byte> bytes, out int used);

    /// <summary>The peer's FIN has come.</summary>
    ExchangeAnswer End(int slot);

    /// <summary>Whether a response has begun.</summary>
    bool HasBegun(int slot);

    /// <summary>Whether the connection ends after the response that has come.</summary>
    bool Closes(int slot);
}

/// <summary>How far a response has come.</summary>
/// <param name="Kind">How far.</param>
/// <param name="Cause">Why it is not what was wanted.</param>
/// <param name="Code">What says more (see <see cref="Protos.FailureCode"/>).</param>
internal readonly record struct ExchangeAnswer(ExchangeAnswerKind Kind, FailureCause Cause, int Code)
{
    public static readonly ExchangeAnswer More = new(ExchangeAnswerKind.More, default, 0);
    public static readonly ExchangeAnswer Completed = new(ExchangeAnswerKind.Completed, default, 0);
}

/// <summary>Kinds of <see cref="ExchangeAnswer"/>.</summary>
internal enum ExchangeAnswerKind
{
    /// <summary>There is more to come.</summary>
    More,

    /// <summary>It is complete, and as it should be.</summary>
    Completed,

    /// <summary>It is complete, and not what was wanted; the connection can go on.</summary>
    Unwanted,

    /// <summary>It cannot be told apart from what follows; the connection is of no more use.</summary>
    Bad,
}
