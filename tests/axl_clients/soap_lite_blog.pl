# A third-party SIP phone with its digest user, added with Perl's SOAP::Lite in every form that
# administrators have tried: with SOAP::Lite's own SOAPAction, and with those of two versions.
use strict;
use warnings;

use JSON::PP;
use SOAP::Lite;

my $json = JSON::PP->new->canonical->ascii;
my $proxy = "https://$ENV{AXL_HOST}:$ENV{AXL_PORT}/axl/";
my $model = 'Third-party SIP Device (Advanced)';
my $profile = 'Third-party SIP Device Advanced - Standard SIP Secure Profile';

sub SOAP::Transport::HTTP::Client::get_basic_credentials {
    return ($ENV{AXL_USER}, $ENV{AXL_PASSWORD});
}

sub client {
    my ($namespace, $action) = @_;
    my $client = SOAP::Lite->new(encodingStyle => '', uri => $namespace, proxy => $proxy);
    $client->on_action(sub { '"' . $action . ' ' . $_[1] . '"' }) if defined $action;
    return $client;
}

sub say_step {
    my ($step, $answer, $path) = @_;
    my %said = (step => $step);
    if ($answer->fault) { $said{fault} = $answer->faultstring }
    else { $said{result} = scalar $answer->valueof($path) }
    print $json->encode(\%said), "\n";
}

# Elements inside one of this name.
sub wrapped {
    my ($name, @elements) = @_;
    return SOAP::Data->name($name => \SOAP::Data->value(@elements));
}

sub elements {
    my @pairs = @_;
    my @elements;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @elements, SOAP::Data->name($name => $value);
    }
    return @elements;
}

# What the phone is given, in an order that no schema has.
sub phone {
    my ($name, $digest_user) = @_;
    return elements(
        name => $name,
        description => 'Meeting room',
        devicePoolName => 'Default',
        model => $model,
        product => $model,
        protocol => 'SIP',
        subscribeCallingSearchSpaceName => 'CSS-Subscribe',
        digestUser => $digest_user,
        sipProfileName => 'Standard SIP Profile',
        class => 'Phone',
        securityProfileName => $profile,
    );
}

my $old = client('http://www.cisco.com/AXL/API/7.1', 'CUCM:DB ver=7.1');
my $new = client('http://www.cisco.com/AXL/API/8.5', 'CUCM:DB ver=8.5');
my $default = client('http://www.cisco.com/AXL/API/8.5');
my $printed = client('', 'CUCM:DB ver=7.1');

say_step('css', $new->addCss(wrapped('css', elements(name => 'CSS-Subscribe'))), '//return');
say_step('security profile', $new->addPhoneSecurityProfile(wrapped(
    'phoneSecurityProfile',
    elements(
        phoneType => $model,
        protocol => 'SIP',
        name => $profile,
        deviceSecurityMode => 'Non Secure',
        enableDigestAuthentication => 'true',
    ),
)), '//return');
for my $user ('a' .. 'd') {
    say_step("user $user", $old->addUser(wrapped('newUser', elements(
        lastname => 'Room',
        userid => "rsrc.sp.$user",
        digestCredentials => "digest-secret-$user",
    ))), '//return');
}

say_step('7.1', $old->addPhone(wrapped('newPhone', phone('SEP00116666000A', 'rsrc.sp.a'))), '//addPhoneResponse/return');
say_step('8.5 with newPhone', $new->addPhone(wrapped('newPhone', phone('SEP00116666000B', 'rsrc.sp.b'))), '//addPhoneResponse/return');
say_step('default action', $default->addPhone(wrapped('newPhone', phone('SEP00116666000B', 'rsrc.sp.b'))), '//addPhoneResponse/return');
my @right = grep { $_->name ne 'model' } phone('SEP00116666000C', 'rsrc.sp.c');
say_step('8.5 with phone', $new->addPhone(wrapped('phone', @right)), '//addPhoneResponse/return');
# As it was printed: without a reference the elements stand under the operation itself.
my $as_printed = SOAP::Data->name('newPhone' => phone('SEP00116666000D', 'rsrc.sp.d'));
say_step('as printed', $printed->addPhone($as_printed), '//addPhoneResponse/return');

for my $letter ('A' .. 'D') {
    my $name = SOAP::Data->name(phoneName => "SEP00116666000$letter");
    say_step("digest user of $letter", $old->getPhone($name), '//device/digestUser');
}
my $digest_in = SOAP::Data->name(sql => <<'SQL');
select d.name as device, u.userid, t.name as association
from enduserdevicemap m, device d, enduser u, typeuserassociation t
where m.fkdevice = d.pkid and m.fkenduser = u.pkid and m.tkuserassociation = t.enum
  and u.userid = 'rsrc.sp.a'
SQL
say_step('association', $new->executeSQLQuery($digest_in), '//return/row');
