# frozen_string_literal: true
# A jobrunner worker, in one file to copy. Needs grpc and protoc's code for proto/jobrunner/v1.

require 'grpc'
require 'google/protobuf/well_known_types'
require 'jobrunner/v1/worker_service_services_pb'

module Jobrunner
  MIB = 1 << 20
  NOW = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }
  OPTIONS = { 'grpc.use_local_subchannel_pool' => 1 }.freeze # Else gRPC's backoff outlives a stub.
  FATAL = [3, 7, 12, 16].freeze # The codes with which trying again is of no use.

  # How an attempt failed, raised by its handler, with a google.rpc.Code. `final`: do not try again;
  # `critical`: cancel the batch, too. Any other error fails the attempt with UNKNOWN.
  class Failure < StandardError
    attr_reader :said

    def initialize(message, code: 2, final: false, critical: false)
      super(message)
      @said = { code: code, final: final, critical: critical }
    end
  end

  # What a handler is given. It runs on a thread of its own, and may block.
  class Attempt
    attr_accessor :assignment, :payload, :outcome # assignment: batch_id, job_index, attempt, …

    def initialize(assignment, say)
      @assignment, @payload = assignment, assignment.handler.payload
      @id, @say = assignment.assignment_id, say
      @ends = NOW.call + (assignment.time_left&.to_f || Float::INFINITY)
      @mutex, @condition = Mutex.new, ConditionVariable.new
    end

    def stop = @mutex.synchronize { @stop = true } && @condition.broadcast

    # Waits for so many seconds, or until the handler is to end soon, in whatever way: then true.
    def stop?(within = 0)
      ends = NOW.call + within
      @mutex.synchronize do
        @condition.wait(@mutex, ends - NOW.call) until @stop || NOW.call >= ends
        @stop
      end
    end

    # Seconds until the attempt is stopped; infinite when nothing bounds it.
    def time_left = [0, @ends - NOW.call].max

    # Lost while there is no connection, as output is: only outcomes are kept.
    def progress(fraction, message = '')
      @say.call(:progress, assignment_id: @id, fraction: fraction, message: message)
    end

    # Shown if the job asked for it. Blocks while the connection is slow.
    def output(output, error_output = '')
      said = { assignment_id: @id, output: output.b, error_output: error_output.b }
      @say.call(:output, **said) if @assignment.stream_output
    end
  end

  # Everything but handlers happens on the thread of run, which answers for the lease as well.
  class Worker
    def initialize(address, name:, slots: 4, labels: {})
      @address = address
      @hello = { name: name, slots: slots, labels: labels, sdk: 'ruby 1.0' }
      @handlers, @session_id, @lease = {}, '', 10
      @acts = Queue.new # what this thread is to do
      @held = {}        # attempts by assignment_id, until their outcome is acknowledged
      @unsent = []      # outcomes to be sent on this stream
      @requests = nil   # what the stream sends, from welcome on
    end

    # The block gets an Attempt, and returns a string or nil, or raises.
    def handler(name, &block) = (@handlers[name] = block)

    # Until SIGTERM or Ctrl-C; what was taken is finished. A second signal ends the process at once.
    def run
      %w[TERM INT].each { |name| trap(name) { trap(name, 'DEFAULT') && @acts << method(:leave) } }
      backoff = 0
      until @leaving && @held.empty?
        sleep(backoff * rand(0.5..1))
        begin
          session
        rescue GRPC::BadStatus => e
          warn "the stream broke: #{e.details}, #{@held.size} held"
          raise if FATAL.include?(e.code)
          keep('', []) if e.is_a?(GRPC::Aborted) # The session is over.
        end
        backoff = @requests ? 0.05 : [0.05 + 2 * backoff, 1, @lease / 5.0].min
        @requests = nil
      end
    end

    private

    def session
      requests = SizedQueue.new(100) # Handlers wait while it is full.
      more = { handlers: @handlers.keys, session_id: @session_id, assignment_ids: @held.keys }
      requests << V1::WorkRequest.new(hello: @hello.merge(more))
      sending = Enumerator.new { |sink| loop { sink << (requests.pop || break) } }
      stub = V1::WorkerService::Stub.new(@address, :this_channel_is_insecure, channel_args: OPTIONS)
      call = stub.work(sending, return_op: true)
      @heard = NOW.call
      helpers = [Thread.new { read(call, requests) }, Thread.new { watch(call) }]
      loop do # Until StopIteration.
        @acts.pop.call
        report if @acts.empty?
      end
    ensure
      helpers&.each(&:kill)
      requests.close
    end

    def read(call, requests)
      call.execute.each { |message| @acts << -> { hear(message, requests) } }
      @acts << -> { raise StopIteration }
    rescue StandardError => e
      @acts << -> { raise e }
    end

    # The server speaks each third of a lease: after two in silence there is time to come back.
    def watch(call)
      sleep(@lease / 10.0) while NOW.call < @heard + @lease * 2 / 3
      call.cancel
    end

    def hear(message, requests)
      @heard = NOW.call
      case message.kind
      when :welcome
        @requests, @lease = requests, message.welcome.lease.to_f
        keep(message.welcome.session_id, message.welcome.assignment_ids)
        leave if @leaving
      when :assignments
        message.assignments.assignments.each { |assignment| start(assignment) } unless @leaving
      when :stop
        message.stop.assignment_ids.each { |id| @held[id]&.stop }
      when :lease_check
        @held.except(*message.lease_check.assignment_ids).each_value(&:stop)
        say(:lease_answer, number: message.lease_check.number, assignment_ids: @held.keys)
      when :acknowledged
        message.acknowledged.refused_ids.each { |id| warn "#{id}: its outcome was refused" }
        message.acknowledged.assignment_ids.each { |id| @held.delete(id) }
        requests.close if @leaving && @held.empty?
      end
    end

    def keep(session_id, ids)
      @session_id = session_id
      @held.except(*ids).each_key do |id|
        warn "#{id}: no longer ours"
        @held.delete(id).stop
      end
      @unsent = @held.values.filter_map(&:outcome)
    end

    def start(assignment)
      attempt = @held[assignment.assignment_id] = Attempt.new(assignment, method(:say))
      Thread.new do
        id = assignment.assignment_id
        outcome = { assignment_id: id, **run_handler(attempt) }
        @acts << -> { @unsent << (attempt.outcome = outcome) if @held.key?(id) }
      end
    end

    def run_handler(attempt)
      output = (@handlers[attempt.assignment.handler.name].call(attempt) || '').b
      raise Failure.new('more than 1 MiB', final: true) if output.size > MIB
      { output: output }
    rescue Exception => e
      said = e.is_a?(Failure) ? e.said : {}
      warn e.full_message if said.empty?
      { failure: { message: e.message.encode('UTF-8', undef: :replace).scrub[0, 4096], **said } }
    end

    def report
      until @unsent.empty? || !@requests
        size = 0 # A message may have 4 MiB.
        some = @unsent.take_while { |said| (size += 1024 + said[:output].to_s.bytesize) < 3 * MIB }
        say(:outcomes, outcomes: @unsent.shift(some.size))
      end
    end

    def say(kind, **said)
      @requests&.push(V1::WorkRequest.new(kind => said))
    rescue ClosedQueueError # The stream has ended.
    end

    def leave
      @leaving = true
      say(:leave, held: { assignment_ids: @held.keys })
      @requests&.close if @held.empty?
    end
  end
end
