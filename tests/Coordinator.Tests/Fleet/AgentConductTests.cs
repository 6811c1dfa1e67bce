using CsCheck;
using LoadHarness.Coordinator.Fleet;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class AgentConductTests
{
    private static readonly AgentAllowance _allowance = new() { MessageBurst = 20, MessagesPerSecond = 10, SampleBurst = 5, SamplesPerSecond = 2, AttachBurst = 3 };

    private FakeTimeProvider _time = null!;
    private AgentConduct _conduct = null!;

    [SetUp]
    public void SetUp() => (_time, _conduct) = Make();

    [Test]
    public void Count_OfAnySender_NeverLetsMoreThroughThanBurstAndRate() =>
        // Each number is a pause of the sender, in milliseconds, beside the ones that it is told to make.
        Gen.Int[0, 300].List[1, 200].Sample(pauses =>
        {
            var (time, conduct) = Make();
            var (messages, samples, passed) = (0, 0, TimeSpan.Zero);
            foreach (var pause in pauses)
            {
                var wait = conduct.CountMessage(40) + conduct.CountSample(2_000) + TimeSpan.FromMilliseconds(pause);
                (messages, samples, passed) = (messages + 1, samples + 1, passed + wait);
                time.Advance(wait);
                // The one that waits was taken in advance.
                Assert.That(messages - 1, Is.LessThanOrEqualTo(_allowance.MessageBurst + (_allowance.MessagesPerSecond * passed.TotalSeconds) + 0.001));
                Assert.That(samples - 1, Is.LessThanOrEqualTo(_allowance.SampleBurst + (_allowance.SamplesPerSecond * passed.TotalSeconds) + 0.001));
            }
        });

    [Test]
    public void Count_OfASoundAgent_NeverWaits()
    {
        for (var second = 0; second < 100; second++)
        {
            Assert.That(_conduct.CountMessage(40) + _conduct.CountMessage(2_000) + _conduct.CountSample(5_000), Is.EqualTo(TimeSpan.Zero));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Test]
    public void Count_OfLongMessages_GoesByTheirBytes()
    {
        var (messages, samples) = (_conduct.CountMessage(30 * _allowance.MessageBytes), _conduct.CountSample(9 * _allowance.SampleBytes));

        Assert.That((messages, samples), Is.EqualTo((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))));
    }

    [Test]
    public void MayAttach_TooOften_IsForLater()
    {
        var atOnce = Enumerable.Range(0, 5).Count(_ => _conduct.MayAttach());
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.That((atOnce, _conduct.MayAttach(), _conduct.MayAttach()), Is.EqualTo((3, true, false)));
    }

    [Test]
    public void MayLog_MoreThanAFew_CountsWhatIsLeftOut()
    {
        var written = Enumerable.Range(0, 1000).Count(_ => _conduct.MayLog(out var _));
        _time.Advance(TimeSpan.FromSeconds(10));
        var again = _conduct.MayLog(out var leftOut);

        Assert.That((written, again, leftOut), Is.EqualTo((10, true, 990L)));
    }

    [Test]
    public void CheckOrder_BeforeTheEndOfTheLastOne_IsRefused()
    {
        _conduct.Sampled("life", "run", 7, TimeSpan.FromSeconds(10));

        Assert.Multiple(() =>
        {
            Assert.That(() => _conduct.CheckOrder("life", "run", 8, TimeSpan.FromSeconds(8.9)), Throws.TypeOf<WireException>());
            Assert.That(() => _conduct.CheckOrder("life", "run", 8, TimeSpan.FromSeconds(9)), Throws.Nothing, "a second may overlap");
            Assert.That(() => _conduct.CheckOrder("life", "run", 7, TimeSpan.Zero), Throws.Nothing, "one that comes again");
            Assert.That(() => _conduct.CheckOrder("life", "another", 8, TimeSpan.Zero), Throws.Nothing, "another run");
            Assert.That(() => _conduct.CheckOrder("another", "run", 8, TimeSpan.Zero), Throws.Nothing, "another process");
        });
    }

    private static (FakeTimeProvider Time, AgentConduct Conduct) Make()
    {
        var time = new FakeTimeProvider();
        return (time, new(new CoordinatorClock(time), _allowance));
    }
}
