#include "nngpcheck/compare/runs/sample_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/files/atomic_file.hpp"

namespace nngpcheck::compare {

namespace {

namespace fs = std::filesystem;

fs::path samples_of(const fs::path& folder) { return folder / "samples"; }

/// The logs of a run, in the order of their names.
std::vector<fs::path> logs(const fs::path& folder) {
  std::vector<fs::path> result;
  if (!has_samples(folder)) return result;
  for (const fs::directory_entry& entry : fs::directory_iterator(samples_of(folder))) {
    if (entry.is_regular_file() && entry.path().extension() == ".log") result.push_back(entry.path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

bool has_samples(const fs::path& folder) { return fs::is_directory(samples_of(folder)); }

void SampleIndex::add(const fs::path& folder, const Notice& notice) {
  for (const fs::path& file : logs(folder)) {
    const auto take = [&](std::uint64_t offset, const std::string& record) {
      const auto chunk = [&] {
        try {
          return decode_chunk(grid_, record);
        } catch (const Error& error) {
          throw CompareError(fmt::format("{}: byte {}: {}; move the file out of the folder", file.string(),
                                         offset, error.what()));
        }
      }();
      add_record(chunk, {file, offset}, record);
    };
    for (const Damage& damage : scan_records(file, take).damages) {
      notice(
          fmt::format("{}: bytes {} to {} are damaged; the networks that were recorded there are drawn "
                      "again, all others are "
                      "used",
                      file.string(), damage.begin, damage.end - 1));
    }
  }
}

void SampleIndex::add_record(std::size_t chunk, const Place& place, const std::string& record) {
  const auto [there, added] = places_.try_emplace(chunk, place);
  if (added || read_record(there->second.file, there->second.offset) == record) return;
  throw CompareError(
      fmt::format("{}: byte {}: {}: the same networks are recorded with other numbers in {} at byte {}; "
                  "another version or "
                  "machine drew them: move the file that you trust less out of the folder",
                  place.file.string(), place.offset, grid_.name(chunk), there->second.file.string(),
                  there->second.offset));
}

std::vector<std::size_t> SampleIndex::missing() const {
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < grid_.chunks.size(); ++c) {
    if (!holds(c)) result.push_back(c);
  }
  return result;
}

std::int64_t SampleIndex::networks() const {
  std::int64_t result = 0;
  for (const auto& [chunk, place] : places_) result += grid_.chunks[chunk].count;
  return result;
}

std::string SampleIndex::record(std::size_t chunk) const {
  const Place& place = places_.at(chunk);
  return read_record(place.file, place.offset);
}

fs::path log_file(const fs::path& folder, const std::string& writer) {
  std::error_code error;
  fs::create_directory(samples_of(folder), error);
  if (error) throw CompareError(samples_of(folder).string() + ": cannot be made: " + error.message());
  files::sync_folder(folder);
  return samples_of(folder) / (writer + ".log");
}

}  // namespace nngpcheck::compare
