namespace LoadHarness.Agent.Provisioning;

/// <summary>Why addresses were not added.</summary>
/// <param name="Rule">`allow-provision`, `address`, `permission`, ...</param>
/// <param name="Message">What, why, and what to do about it.</param>
public sealed record ProvisionRefusal(string Rule, string Message);
