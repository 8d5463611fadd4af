// What a run has drawn, on disk: FOLDER/samples/WRITER.log, one file of records per process that draws.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nngpcheck/compare/runs/record_log.hpp"
#include "nngpcheck/compare/statistics/chunk.hpp"

namespace nngpcheck::compare {

/// What a person should know, a sentence.
using Notice = std::function<void(const std::string&)>;

/// True if a run has been recorded in this folder.
bool has_samples(const std::filesystem::path& folder);

/// Where the chunks of a run are recorded, of all its writers together. Samples stay on disk. The grid must
/// outlive it.
class SampleIndex {
 public:
  explicit SampleIndex(const ChunkGrid& grid) : grid_(grid) {}

  /// Adds the logs in `folder`. Damaged parts of them are skipped and told. Throws CompareError if a log
  /// holds records of another run, or a chunk that differs from the same chunk elsewhere.
  void add(const std::filesystem::path& folder, const Notice& notice);

  bool holds(std::size_t chunk) const { return places_.contains(chunk); }
  /// The chunks that are not recorded, ascending.
  std::vector<std::size_t> missing() const;
  /// How many networks are recorded.
  std::int64_t networks() const;

  /// Preconditions: holds(chunk).
  std::string record(std::size_t chunk) const;
  ChunkSamples samples(std::size_t chunk) const { return decode_samples(grid_, record(chunk)); }

 private:
  struct Place {
    std::filesystem::path file;
    std::uint64_t offset;
  };
  void add_record(std::size_t chunk, const Place& place, const std::string& record);

  const ChunkGrid& grid_;
  std::map<std::size_t, Place> places_;
};

/// The file that a writer appends its records to. Makes the folder `samples` where needed; throws
/// CompareError if it cannot.
std::filesystem::path log_file(const std::filesystem::path& folder, const std::string& writer);

}  // namespace nngpcheck::compare
