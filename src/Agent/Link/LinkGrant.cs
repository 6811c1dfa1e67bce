namespace LoadHarness.Agent.Link;

/// <summary>What the coordinator granted one attachment in its Welcome.</summary>
/// <param name="SessionId">Names the attachment.</param>
/// <param name="HeartbeatInterval">How often to send a heartbeat.</param>
/// <param name="Lease">How long to go on without an answered one, at most.</param>
/// <param name="StoreId">Of the coordinator's store.</param>
/// <param name="Epoch">Counts the starts of the coordinator.</param>
public sealed record LinkGrant(string SessionId, TimeSpan HeartbeatInterval, TimeSpan Lease, string StoreId, ulong Epoch);
