// Scene 5: names, threshold and number of workers come from a JSON file.
//
// usage: people_from_json FILE

#include <fstream>
#include <iostream>
#include <sstream>

#include "google/protobuf/util/json_util.h"
#include "scene.h"

namespace jobrunner::examples {
namespace {

absl::StatusOr<People> ReadPeople(const char* path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError("cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  People people;
  const auto read = google::protobuf::util::JsonStringToMessage(text.str(), &people);
  if (!read.ok()) return absl::InvalidArgumentError(std::string(read.message()));
  return people;
}

int Main(const char* path) {
  const absl::StatusOr<People> people = ReadPeople(path);
  if (!people.ok()) {
    std::cerr << path << ": " << people.status().message() << std::endl;
    return 2;
  }
  Scene scene{.people = *people};
  if (people->oldest() > 0) scene.oldest = OldestRule{.age = people->oldest()};
  return Play(scene, BatchOf(*people));
}

}  // namespace
}  // namespace jobrunner::examples

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: people_from_json FILE\n";
    return 2;
  }
  return jobrunner::examples::Main(argv[1]);
}
