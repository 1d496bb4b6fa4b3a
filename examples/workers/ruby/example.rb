#!/usr/bin/env ruby
# frozen_string_literal: true

# A worker with handlers to try things out: example.rb ADDRESS NAME SLOTS

require 'json'
require_relative 'jobrunner_worker'

address, name, slots = ARGV
worker = Jobrunner::Worker.new(address, name: name, slots: Integer(slots))

# The payload, its ASCII letters in upper case.
worker.handler('upper') { |attempt| attempt.payload.b.upcase(:ascii) }

# Runs for so many seconds, and heeds its stop.
worker.handler('slow') do |attempt|
  attempt.progress(0, 'begun')
  raise Jobrunner::Failure.new('stopped', code: 1) if attempt.stop?(attempt.payload.to_f)

  "done by attempt #{attempt.assignment.attempt}"
end

# Runs for so many seconds, whatever it is told.
worker.handler('stubborn') do |attempt|
  attempt.progress(0, 'begun')
  sleep(attempt.payload.to_f)
  "done by attempt #{attempt.assignment.attempt}"
end

# Fails as the payload says: {message, code, final, critical}, or {raise}.
worker.handler('failing') do |attempt|
  how = JSON.parse(attempt.payload, symbolize_names: true)
  raise how[:raise] if how.key?(:raise)

  raise Jobrunner::Failure.new(how.delete(:message), **how)
end

# Tells its progress and writes on both outputs, so many times.
worker.handler('steps') do |attempt|
  count = Integer(attempt.payload)
  (1..count).each do |step|
    attempt.progress(step.fdiv(count), "step #{step}")
    attempt.output("out #{step}\n", "err #{step}\n")
  end
  nil
end

# So many bytes.
worker.handler('zeros') { |attempt| "\0" * Integer(attempt.payload) }

# What a handler knows of its job, as JSON.
worker.handler('about') do |attempt|
  job = attempt.assignment
  left = attempt.time_left
  JSON.generate(
    batch_id: job.batch_id, job_index: job.job_index, job_key: job.job_key, attempt: job.attempt,
    content_type: job.handler.content_type, seconds_left: left.finite? ? left : nil
  )
end

worker.run
