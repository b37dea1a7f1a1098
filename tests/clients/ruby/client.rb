# Drives ruby_ami (Debian's ruby-ami) as ../README.md says:
#
#   ruby client.rb ruby-ami HOST PORT USER SECRET plain|md5
require 'digest'
require 'json'
require 'ruby_ami'

HOST, PORT, USER, SECRET, AUTH = ARGV[1..5]
Celluloid.logger = nil

$lock = Mutex.new
$changed = ConditionVariable.new
$events = [] # all since the first login
$lost = false

def seen(event)
  $lock.synchronize do
    case event
    when RubyAMI::Stream::Connected
    when RubyAMI::Stream::Disconnected then $lost = true
    else $events << headers(event)
    end
    $changed.broadcast
  end
end

def headers(packet)
  named = packet.is_a?(RubyAMI::Event) ? { 'Event' => packet.name } : {}
  return packet.headers.merge(named) if packet.respond_to?(:headers)
  # An error's headers have no reader; its message stands apart.
  { 'Response' => 'Error', 'ActionID' => packet.action_id, 'Message' => packet.message }
end

# find waits until an event from the index on is as asked.
def find(from, seconds)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  $lock.synchronize do
    loop do
      found = (from...$events.size).find { |i| yield $events[i] }
      return found if found
      from = $events.size
      left = deadline - Process.clock_gettime(Process::CLOCK_MONOTONIC)
      raise 'no such event' if left <= 0
      $changed.wait($lock, left)
    end
  end
end

class Client
  def connect
    # Without a name the library leaves the login to its user.
    name, secret = AUTH == 'plain' ? [USER, SECRET] : []
    @stream = RubyAMI::Stream.new(HOST, PORT.to_i, name, secret, method(:seen), Celluloid::Logger, 5)
    @stream.async.run
    sleep 0.01 until @stream.started?
    login_by_md5 if AUTH == 'md5'
    answer = send_action('Ping')
    raise answer.message if answer.is_a?(RubyAMI::Error)
  end

  def login_by_md5
    challenge = send_action('Challenge', 'AuthType' => 'MD5')['Challenge']
    key = Digest::MD5.hexdigest(challenge + SECRET)
    answer = send_action('Login', 'AuthType' => 'MD5', 'Username' => USER, 'Key' => key, 'Events' => 'on')
    raise answer.message if answer.is_a?(RubyAMI::Error)
  end

  def send_action(name, headers = {})
    @stream.send_action(name, headers, ->(error) { error })
  end

  def run(step)
    action = step['action'].dup
    from = $lock.synchronize { $events.size }
    answer = Timeout.timeout(step['seconds'] || 20) { send_action(action.delete('Action'), action) }
    events = answer.respond_to?(:events) ? answer.events.map { |e| headers(e) } : []
    if step['until'] && events.empty? && !answer.is_a?(RubyAMI::Error)
      own = ->(e) { e['ActionID'] == answer.action_id }
      last = find(from, step['seconds'] || 20) { |e| own[e] && e['Event'] == step['until'] }
      events = $lock.synchronize { $events[from..last] }.select(&own)
    end
    { response: headers(answer), events: events }
  end

  def events(step)
    marker = ->(name) { ->(e) { e['Event'] == 'UserEvent' && e['UserEvent'] == name } }
    first = find(0, step['seconds'] || 60, &marker[step['from']])
    last = find(first, step['seconds'] || 60, &marker[step['to']])
    { events: $lock.synchronize { $events[first + 1...last] } }
  end

  def again(_step)
    was = $lock.synchronize { $lost.tap { $lost = false } }
    connect if was
    { lost: was }
  end

  def close
    @stream.terminate
  end
end

def say(answer)
  puts JSON.generate(answer)
  $stdout.flush
end

client = Client.new
begin
  Timeout.timeout(5) { client.connect }
rescue StandardError, Celluloid::DeadActorError => e
  say(error: e.message)
  exit! 1
end
say(login: true)
while (line = $stdin.gets)
  step = JSON.parse(line)
  begin
    say(client.public_send(step['do'], step))
  rescue StandardError => e
    say(error: e.message)
  end
end
client.close
exit! 0
