# Drives Telephony::Asterisk::AMI (Debian's libtelephony-asterisk-ami-perl) as ../README.md says:
#
#   perl client.pl telephony-asterisk-ami HOST PORT USER SECRET
#
# The library has no loop of its own: what comes between two steps waits in the socket.
use strict;
use warnings;
use JSON::PP;
use Telephony::Asterisk::AMI;

my (undef, $host, $port, $user, $secret) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
my @events;    # all since the first login

sub say_ { print $json->encode($_[0]), "\n" }
$| = 1;

sub client {
    return Telephony::Asterisk::AMI->new(
        Host => $host, Port => $port, Username => $user, Secret => $secret,
        ActionID       => 1000 * $$ + 1,    # or another run's OriginateResponse would be taken for an answer
        Event_Callback => sub { push @events, {%{ $_[0] }} },
    );
}

sub packet {    # the next one that comes
    my ($ami) = @_;
    my $packet = $ami->read_response;
    die $ami->error . "\n" if !defined $packet->{ActionID} && ($packet->{Message} // '') =~ /^Reading from socket failed/;
    push @events, $packet if $packet->{Event};
    return $packet;
}

# find returns the index of the first event from $from on that is as asked.
sub find {
    my ($ami, $from, $is) = @_;
    for (my $i = $from; ; $i++) {
        packet($ami) while $i >= @events;
        return $i if $is->($events[$i]);
    }
}

my %steps = (
    run => sub {
        my ($ami, $step) = @_;
        my $from     = @events;
        my $response = $ami->action($step->{action});
        die $ami->error . "\n" if $ami->error;
        my @own;
        if ($step->{until} && $response->{Response} ne 'Error') {
            my $own = sub { ($_[0]{ActionID} // '') eq $response->{ActionID} };
            my $last = find($ami, $from, sub { $own->($_[0]) && $_[0]{Event} eq $step->{until} });
            @own = grep { $own->($_) } @events[$from .. $last];
        }
        return { response => $response, events => \@own };
    },
    events => sub {
        my ($ami, $step) = @_;
        my $marker = sub {
            my ($name) = @_;
            return sub { $_[0]{Event} eq 'UserEvent' && $_[0]{UserEvent} eq $name }
        };
        my $first = find($ami, 0, $marker->($step->{from}));
        my $last  = find($ami, $first, $marker->($step->{to}));
        return { events => [@events[$first + 1 .. $last - 1]] };
    },
    again => sub {
        my ($ami) = @_;
        return { lost => JSON::PP::false } if $ami->action(Action => 'Ping')->{Response} eq 'Success';
        $ami = $_[0] = client();
        $ami->connect or die $ami->error . "\n";
        return { lost => JSON::PP::true };
    },
);

local $SIG{PIPE} = 'IGNORE';
my $ami = client();
unless ($ami->connect) {
    say_({ error => $ami->error });
    exit 1;
}
say_({ login => JSON::PP::true });
while (my $line = <STDIN>) {
    my $step   = $json->decode($line);
    my $answer = eval {
        local $SIG{ALRM} = sub { die "no answer\n" };
        alarm($step->{seconds} // 60);
        my $answer = $steps{ $step->{do} }->($ami, $step);
        alarm 0;
        $answer;
    };
    alarm 0;
    chomp(my $error = $@);
    say_($answer // { error => $error });
}
$ami->disconnect;
