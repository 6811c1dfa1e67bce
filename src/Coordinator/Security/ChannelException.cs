namespace LoadHarness.Coordinator.Security;

/// <summary>There is no way to a coordinator; the message says why, to which address, and what to do.</summary>
/// <param name="message">For people.</param>
/// <param name="mayPass">Whether the same way may be open a little later.</param>
/// <param name="inner">What happened.</param>
public sealed class ChannelException(string message, bool mayPass, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the same way may be open a little later.</summary>
    public bool MayPass => mayPass;
}
