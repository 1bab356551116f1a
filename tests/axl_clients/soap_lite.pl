# Perl's SOAP::Lite, used as scripts of administrators use it.
use strict;
use warnings;

use JSON::PP;
use SOAP::Lite;

my $json = JSON::PP->new->canonical->ascii;
my $proxy = "https://$ENV{AXL_HOST}:$ENV{AXL_PORT}/axl/";

# It asks for these when the server has sent its challenge.
sub SOAP::Transport::HTTP::Client::get_basic_credentials {
    return ($ENV{AXL_USER}, $ENV{AXL_PASSWORD});
}

# A client whose requests name a version in the namespace, and in the SOAPAction if one is given.
sub client {
    my ($namespace, $action) = @_;
    my $client = SOAP::Lite->new(uri => $namespace, proxy => $proxy);
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

my $newest = client('http://www.cisco.com/AXL/API/8.5', 'CUCM:DB ver=8.5');
say_step('version', $newest->getCCMVersion, '//componentVersion/version');
my $sql = SOAP::Data->name(sql => q{select first 1 userid, firstname from enduser where userid = 'aksethi'});
say_step('sql', $newest->executeSQLQuery($sql), '//return/row');
my $unicode = SOAP::Data->name(sql => "select 'K\x{f6}ln' as town from enduser where userid = 'aksethi'");
say_step('not ascii', $newest->executeSQLQuery($unicode), '//return/row');
my $default = client('http://www.cisco.com/AXL/API/8.5');
say_step('default action', $default->getCCMVersion, '//componentVersion/version');
