using LoadHarness.Coordinator.Api;

namespace LoadHarness.Coordinator.Tests.Api;

public class ControlErrorsTests
{
    [Test]
    public void Bounded_ManySentences_EndsWithAWholeOneAndSaysSo()
    {
        var bounded = ControlErrors.Bounded(string.Concat(Enumerable.Repeat("Give 1.5 times the ports. ", 100)));
        Assert.That(bounded, Does.EndWith("times the ports. (There is more; it was cut here.)").And.Length.LessThan(1100));
    }

    [Test]
    public void Bounded_OneLongWord_IsCut() => Assert.That(ControlErrors.Bounded(new string('x', 2000)), Has.Length.EqualTo(1003).And.EndWith("..."));

    [Test]
    public void Bounded_ShortText_IsKept() => Assert.That(ControlErrors.Bounded("Short. Whole."), Is.EqualTo("Short. Whole."));
}
