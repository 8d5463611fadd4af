// A pipeline of one consumer and several producers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace nngpcheck::empirical {

/// Computes items 0, …, count - 1 on `threads` threads and passes item k with its number to consume(k,
/// result), in order, on the calling thread. Each thread calls start() once, which returns its function from
/// k to the result. At most 4·threads items are computed ahead. The first exception, in the order of the
/// items, ends it.
template <class Result, class Start, class Consume>
void produce_in_order(std::uint64_t count, int threads, const Start& start, const Consume& consume) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::map<std::uint64_t, std::variant<Result, std::exception_ptr>> ready;
  std::uint64_t next = 0;      // to be computed
  std::uint64_t consumed = 0;  // items before this one
  const std::uint64_t ahead = 4 * static_cast<std::uint64_t>(threads);

  const auto deliver = [&](std::uint64_t item, std::variant<Result, std::exception_ptr> outcome) {
    const std::lock_guard lock(mutex);
    ready.emplace(item, std::move(outcome));
    changed.notify_all();
  };
  const auto take = [&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [&] { return next >= count || next < consumed + ahead; });
    return stop.stop_requested() ? count : next < count ? next++ : count;
  };
  const auto work = [&](const std::stop_token& stop) {
    std::uint64_t item = take(stop);
    try {
      if (item == count) return;
      auto produce = start();
      for (; item != count; item = take(stop)) deliver(item, produce(item));
    } catch (...) {
      deliver(item, std::current_exception());
    }
  };

  std::vector<std::jthread> workers;  // after all they use: joined first, also when consume throws
  for (int t = 0; t < threads; ++t) workers.emplace_back(work);
  while (consumed < count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready.contains(consumed); });
    auto outcome = std::move(ready.extract(consumed).mapped());
    lock.unlock();
    if (const auto* error = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*error);
    consume(consumed, std::get<Result>(outcome));
    lock.lock();
    ++consumed;
    changed.notify_all();
  }
}

}  // namespace nngpcheck::empirical
