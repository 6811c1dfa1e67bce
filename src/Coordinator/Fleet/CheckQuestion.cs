namespace LoadHarness.Coordinator.Fleet;

/// <summary>Asks an agent how its host stands; see agent_link.proto.</summary>
/// <param name="Id">Its answer repeats it.</param>
/// <param name="Need">Null: what the host is good for by itself.</param>
public sealed record CheckQuestion(ulong Id, HostNeed? Need);
