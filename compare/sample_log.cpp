#include "compare/sample_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "compare/atomic_file.hpp"
#include "compare/error.hpp"

namespace nngpcheck::compare {

namespace {

const std::string header = "experiment,width,network,relative_squared_error\n";

}  // namespace

SampleLog::SampleLog(std::filesystem::path file, std::vector<LoggedSweep> sweeps)
    : file_(std::move(file)), sweeps_(std::move(sweeps)), synced_(std::chrono::steady_clock::now()) {
  for (const LoggedSweep& sweep : sweeps_) errors_.emplace_back(sweep.widths.size());
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) cannot_write(file_);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw CompareError(file_.string() +
                         ": another run is writing it; wait for it or choose another folder");
    }
    std::ostringstream contents;
    if (std::filesystem::file_size(file_) > 0) contents << std::ifstream(file_, std::ios::binary).rdbuf();
    const auto kept = static_cast<off_t>(read(contents.str()));
    if (::ftruncate(descriptor_, kept) != 0 || ::lseek(descriptor_, kept, SEEK_SET) < 0) cannot_write(file_);
    if (kept == 0) write_all(descriptor_, header, file_);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

SampleLog::~SampleLog() { ::close(descriptor_); }

std::string SampleLog::row(std::size_t e, std::size_t w, std::size_t network) const {
  return fmt::format("{},{},{},", sweeps_[e].experiment, sweeps_[e].widths[w], network);
}

/// Takes over the whole lines and returns their length.
std::size_t SampleLog::read(const std::string& contents) {
  if (header.starts_with(contents) && contents.size() < header.size()) return 0;
  if (!contents.starts_with(header))
    throw CompareError(file_.string() + ":1: not the samples of a run; remove it");
  std::size_t start = header.size();
  int line = 1;
  for (std::size_t e = 0; e < sweeps_.size(); ++e) {
    for (std::size_t w = 0; w < sweeps_[e].widths.size(); ++w) {
      std::vector<double>& errors = errors_[e][w];
      while (std::ssize(errors) < sweeps_[e].networks) {
        const std::size_t end = contents.find('\n', start);
        if (end == std::string::npos) return start;
        ++line;
        const std::string text = contents.substr(start, end - start), key = row(e, w, errors.size());
        double error = -1;
        const char* last = text.data() + text.size();
        const bool expected = text.starts_with(key);
        if (!expected || std::from_chars(text.data() + key.size(), last, error).ptr != last ||
            !(error >= 0 && error < INFINITY)) {
          throw CompareError(
              fmt::format("{}:{}: \"{}\" where \"{}...\" must stand; the file is damaged, remove it",
                          file_.string(), line, text, key));
        }
        errors.push_back(error);
        start = end + 1;
      }
    }
  }
  return start;
}

void SampleLog::append(std::size_t e, std::size_t w, double error) {
  std::vector<double>& errors = errors_[e][w];
  if (!std::isfinite(error)) {
    throw CompareError(
        fmt::format("{}: network {} of width {} is infinitely far from the analytic kernel; "
                    "does the architecture explode?",
                    sweeps_[e].experiment, errors.size(), sweeps_[e].widths[w]));
  }
  // fmt writes the shortest text that reads back as the same double.
  write_all(descriptor_, row(e, w, errors.size()) + fmt::format("{}\n", error), file_);
  errors.push_back(error);
  if (std::chrono::steady_clock::now() - synced_ > std::chrono::seconds(2)) sync();
}

void SampleLog::sync() {
  if (::fsync(descriptor_) != 0) cannot_write(file_);
  synced_ = std::chrono::steady_clock::now();
}

}  // namespace nngpcheck::compare
